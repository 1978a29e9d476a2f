/*
 *   channel_list_get   the smallest names behind the cursor that the edges report
 *   on_position        the position of each, if its namespace has history
 *   on_counts          and who is in it, if its namespace has presence
 *   answer             {"channels":[{"channel":"room:1","connections":2,"users":1,"epoch":"…","offset":42}],"next":"room:1"}
 */
#include "broker/api/channel_list.h"

#include "base/mem.h"
#include "broker/api/answer.h"
#include "broker/channels/delivery/interest_list.h"
#include "http/query.h"
#include "json/read.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum { LIMIT = 100, LIMIT_MOST = 1000 };

struct row {
	struct listing *listing;
	struct span name;        /* owned */
	char *counts, *position; /* their members in JSON; NULL: it has none */
};

struct listing {
	struct pending pending;
	struct row *rows;
	size_t n, left;
	bool is_more;
	const struct failure *failure; /* of one of them */
};

/* What is asked for. */
struct list_query {
	char *prefix, *cursor; /* NULL: not given */
	size_t limit;
};

static void close_listing(struct pending *p)
{
	struct listing *l = (struct listing *)p;

	for (size_t i = 0; i < l->n; i++) {
		free((void *)(uintptr_t)l->rows[i].name.p);
		free(l->rows[i].counts);
		free(l->rows[i].position);
	}
	free(l->rows);
}

/* ---- the answer ---- */

static void print(const struct listing *l, struct evbuffer *out)
{
	evbuffer_add_printf(out, "{\"channels\":[");
	for (size_t i = 0; i < l->n; i++) {
		evbuffer_add_printf(out, "%s{\"channel\":", i > 0 ? ",\n" : "\n");
		json_escape(l->rows[i].name, out);
		evbuffer_add_printf(out, "%s%s}",
				    l->rows[i].counts ? l->rows[i].counts : "",
				    l->rows[i].position ? l->rows[i].position : "");
	}
	evbuffer_add_printf(out, "]");
	if (l->is_more) {
		evbuffer_add_printf(out, ",\"next\":");
		json_escape(l->rows[l->n - 1].name, out);
	}
	evbuffer_add_printf(out, "}\n");
}

static void answer(struct listing *l)
{
	struct http_request *q = pending_take(&l->pending);
	struct evbuffer *out;

	if (q && l->failure) {
		answer_failure(q, l->failure);
	} else if (q) {
		out = evbuffer_new();
		assert(out != NULL);
		print(l, out);
		answer_json(q, 200, out);
		evbuffer_free(out);
	}
	pending_free(&l->pending);
}

/* ---- counts and positions ---- */

/* Its answer is there, or not. */
static void end_one(struct listing *l, bool has_failed)
{
	static const struct failure unavailable = {
		"unavailable", "Redis is unreachable, try again in a moment", true};

	if (has_failed)
		l->failure = &unavailable;
	if (--l->left == 0)
		answer(l);
}

static void on_counts(void *arg, const struct failure *failure,
		      const struct presence_page *page)
{
	struct row *row = arg;

	if (failure == NULL)
		row->counts = xasprintf(",\"connections\":%" PRId64 ",\"users\":%" PRId64,
					page->connections, page->users);
	end_one(row->listing, failure != NULL);
}

static void on_position(void *arg, const struct failure *failure,
			const struct channel_history *h)
{
	struct row *row = arg;

	if (failure == NULL)
		row->position =
			xasprintf(",\"epoch\":\"%.*s\",\"offset\":%" PRId64,
				  SPAN_ARG(h->position.epoch), h->position.offset);
	end_one(row->listing, failure != NULL);
}

static void ask(struct channel_api *c, struct row *row, const struct config_namespace *ns)
{
	if (ns->presence.members) {
		row->listing->left++;
		presence_read(c->uses.presence, row->name, (struct span){0}, 0, on_counts,
			      row);
	}
	if (ns->history.size > 0) {
		row->listing->left++;
		read_channel(c->uses.readers,
			     &(struct read_request){
				     .ns = ns, .channel = row->name, .until = -1},
			     on_position, row);
	}
}

static void ask_all(struct channel_api *c, struct listing *l)
{
	const struct config *config = routes_config(c->uses.routes(c->uses.arg));

	l->left = 1; /* until all have been asked for */
	for (size_t i = 0; i < l->n; i++) {
		const struct config_namespace *ns =
			config_namespace(config, l->rows[i].name);

		if (ns)
			ask(c, &l->rows[i], ns);
	}
	end_one(l, false);
}

/* ---- the page ---- */

static bool read_query(struct http_request *q, struct list_query *out)
{
	char *limit = query_parameter(q->head.query, "limit");
	size_t n = limit ? strlen(limit) : 0;
	bool ok = limit == NULL || (n > 0 && n <= 4 && strspn(limit, "0123456789") == n &&
				    atoi(limit) >= 1 && atoi(limit) <= LIMIT_MOST);

	out->limit = limit && ok ? (size_t)atoi(limit) : LIMIT;
	free(limit);
	if (ok) {
		out->prefix = query_parameter(q->head.query, "prefix");
		out->cursor = query_parameter(q->head.query, "cursor");
	} else {
		answer_failure(
			q, &(struct failure){"bad_request",
					     "limit is not a whole number from 1 to 1000",
					     false});
	}
	return ok;
}

static struct span text_of(const char *text)
{
	return text ? span_str(text) : (struct span){0};
}

void channel_list_get(struct channel_api *c, struct http_request *q)
{
	struct list_query query = {0};
	struct listing *l;
	struct span *names;
	size_t n;

	if (!read_query(q, &query))
		return;
	/* one more shows whether there is another page */
	names = xcalloc(query.limit + 1, sizeof *names);
	n = interest_list(c->uses.interest, text_of(query.prefix), text_of(query.cursor),
			  names, query.limit + 1);
	l = pending_new(&c->pendings, sizeof *l, q, close_listing);
	l->is_more = n > query.limit;
	l->n = l->is_more ? query.limit : n;
	l->rows = xcalloc(l->n + 1, sizeof *l->rows);
	for (size_t i = 0; i < l->n; i++)
		l->rows[i] = (struct row){
			.listing = l,
			.name = span_of(span_dup(names[i]), names[i].n),
		};
	free(names);
	free(query.prefix);
	free(query.cursor);
	ask_all(c, l);
}
