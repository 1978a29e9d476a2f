/*
 *   begin → store_user_scan → on_ids
 *     of each id: store_connection_find → on_row → close it, or channel_member_change → end_one
 *   answer
 */
#include "broker/api/users.h"

#include "base/mem.h"
#include "base/percent.h"
#include "broker/api/answer.h"
#include "broker/api/channel_member.h"
#include "http/query.h"
#include "json/read.h"
#include "store/connections.h"
#include "store/users.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct page;

/* One of the user's connections. */
struct item {
	struct page *page;
	struct id id;
	enum item_is { ITEM_GONE, ITEM_DONE, ITEM_FAILED } is;
};

struct page {
	struct pending pending;
	struct channel_api *api;
	char user[USER_NAME_MAX];
	size_t user_n;
	void (*each)(struct item *it); /* ends with end_one; NULL: nothing */
	enum channel_verb verb;
	struct channel_target channel;
	struct item *items;
	size_t n, left;
	uint64_t next;
	bool has_failed; /* the store did not answer */
};

static void on_ids(void *arg, enum err e, const struct span *ids, size_t n,
		   uint64_t next);
static void on_row(void *arg, enum err e, const struct connection_row *row);

static struct span user_of(const struct page *p)
{
	return span_of(p->user, p->user_n);
}

static void close_page(struct pending *p)
{
	free(((struct page *)p)->items);
}

/* ---- what is asked for ---- */

static bool read_cursor(struct http_request *q, uint64_t *out)
{
	char *text = query_parameter(q->head.query, "cursor"), *end = NULL;
	uint64_t n = text ? strtoull(text, &end, 10) : 0;
	bool ok = text == NULL || (text[0] >= '0' && text[0] <= '9' && *end == '\0');

	*out = n;
	free(text);
	if (!ok)
		answer_failure(q, &(struct failure){"bad_request",
						    "cursor is not from a previous page",
						    false});
	return ok;
}

static bool read_user(struct http_request *q, struct span part, char *out, size_t *n)
{
	long got = percent_decode(part, out, USER_NAME_MAX);

	*n = got > 0 ? (size_t)got : 0;
	if (got <= 0)
		answer_failure(q, &(struct failure){"bad_request",
						    "The user is not 1 to 255 bytes",
						    false});
	return got > 0;
}

/* channel: of the path; NULL: there is none in it. */
static void begin(struct channel_api *c, struct http_request *q, struct span user,
		  const struct span *channel, enum channel_verb verb,
		  void (*each)(struct item *it))
{
	struct channel_target t = {0};
	char name[USER_NAME_MAX];
	struct page *p;
	uint64_t cursor;
	size_t n;

	if (!read_user(q, user, name, &n) || !read_cursor(q, &cursor) ||
	    (channel != NULL && !channel_api_read(c, q, *channel, &t)))
		return;
	p = pending_new(&c->pendings, sizeof *p, q, close_page);
	p->api = c;
	p->each = each;
	p->verb = verb;
	p->channel = t;
	p->user_n = n;
	memcpy(p->user, name, n);
	store_user_scan(c->uses.store, user_of(p), cursor, on_ids, p);
}

/* ---- the answer ---- */

static void print_ids(const struct page *p, const char *name, enum item_is is,
		      struct evbuffer *out)
{
	const char *comma = "";
	char text[ID_TEXT];

	evbuffer_add_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < p->n; i++)
		if (p->items[i].is == is) {
			evbuffer_add_printf(out, "%s\"%s\"", comma,
					    id_text(&p->items[i].id, text));
			comma = ",";
		}
	evbuffer_add_printf(out, "]");
}

static void answer(struct page *p)
{
	static const struct failure down = {
		"unavailable", "Redis is unreachable, try again in a moment", true};
	struct http_request *q = pending_take(&p->pending);
	struct evbuffer *out = evbuffer_new();

	assert(out != NULL);
	evbuffer_add_printf(out, "{\"user\":");
	json_escape(user_of(p), out);
	print_ids(p, "connections", ITEM_DONE, out);
	print_ids(p, "failed", ITEM_FAILED, out);
	if (p->next != 0)
		evbuffer_add_printf(out, ",\"next\":\"%" PRIu64 "\"", p->next);
	evbuffer_add_printf(out, "}");
	if (q && p->has_failed)
		answer_failure(q, &down);
	else if (q)
		answer_json(q, 200, out);
	evbuffer_free(out);
	pending_free(&p->pending);
}

static void leave(struct page *p)
{
	if (--p->left == 0)
		answer(p);
}

static void end_one(struct item *it, enum err e, bool is_refused)
{
	it->is = e == ERR_NOTFOUND        ? ITEM_GONE
		 : e == OK && !is_refused ? ITEM_DONE
					  : ITEM_FAILED;
	leave(it->page);
}

/* ---- one after the other ---- */

static void on_ids(void *arg, enum err e, const struct span *ids, size_t n, uint64_t next)
{
	struct page *p = arg;

	p->has_failed = e != OK;
	p->next = next;
	p->items = xcalloc(n + 1, sizeof *p->items);
	p->left = 1; /* until all have been asked for */
	for (size_t i = 0; i < n; i++) {
		struct item *it = &p->items[p->n];

		if (id_parse(ids[i], &it->id) != OK)
			continue; /* a foreign one */
		it->page = p;
		p->n++;
		p->left++;
		store_connection_find(p->api->uses.store, id_edge(&it->id), ids[i],
				      on_row, it);
	}
	leave(p);
}

static void on_row(void *arg, enum err e, const struct connection_row *row)
{
	struct item *it = arg;
	struct page *p = it->page;
	char text[ID_TEXT];

	(void)row;
	if (e == ERR_NOTFOUND) /* what a crash has left */
		store_user_remove(p->api->uses.store, user_of(p),
				  span_str(id_text(&it->id, text)), NULL, NULL);
	else if (e != OK)
		p->has_failed = true;
	if (e == OK && p->each != NULL)
		p->each(it);
	else
		end_one(it, e, false);
}

/* ---- what is done with each ---- */

static void on_closed(void *arg, enum err e, const Gatepost__Outcome *o)
{
	(void)o;
	end_one(arg, e, false);
}

static void close_one(struct item *it)
{
	command_close(it->page->api->uses.commands, &it->id, 1000,
		      "Connection Closed Normally", on_closed, it);
}

static void on_changed(void *arg, enum err e, const struct failure *failure)
{
	end_one(arg, e, failure != NULL);
}

static void change_one(struct item *it)
{
	struct page *p = it->page;

	channel_member_change(p->api, &it->id, p->verb, channel_api_name(&p->channel),
			      on_changed, it);
}

void users_list(struct channel_api *c, struct http_request *q, struct span user)
{
	begin(c, q, user, NULL, VERB_PING, NULL);
}

void users_close(struct channel_api *c, struct http_request *q, struct span user)
{
	begin(c, q, user, NULL, VERB_PING, close_one);
}

void users_subscribe(struct channel_api *c, struct http_request *q, struct span user,
		     struct span channel)
{
	begin(c, q, user, &channel, VERB_SUBSCRIBE, change_one);
}

void users_unsubscribe(struct channel_api *c, struct http_request *q, struct span user,
		       struct span channel)
{
	begin(c, q, user, &channel, VERB_UNSUBSCRIBE, change_one);
}
