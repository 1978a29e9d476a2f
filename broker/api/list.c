/*
 * The connection table page by page, in the order of edges and, within one, of ids:
 *
 *   management_list   ?limit= and ?cursor=, the last id of the page before
 *   on_edges          which edges may have rows; how many each has: on_counted
 *   scan              the rows of one edge, some at a time: on_rows
 *   end_edge          the smallest ids behind the cursor are the page; the next edge, or
 *   answer            {"count":2,"connections":[{…}],"cursor":"…"}
 *
 * Redis keeps no order, so a page reads all rows of its edge. In return it holds what it
 * says: a row that stands from the first page to the last is in exactly one of them.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "json/read.h"
#include "broker/api/internal.h"
#include "store/connections.h"
#include "store/leases.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LIMIT = 1000, LIMIT_MOST = 10000 };

struct entry {
	char id[ID_TEXT];
	char *json;
};

struct listing {
	struct waiting waiting; /* req: NULL once the client has hung up */
	struct listing *next, **back;
	size_t limit;
	char after[ID_TEXT]; /* the cursor; empty: from the beginning */
	uint16_t from;       /* its edge */
	uint16_t *edges;
	size_t n_edges, at, uncounted;
	int64_t count;
	struct entry *page;
	size_t n, room;
	size_t done; /* of the page: those of the edges before */
	size_t held; /* bytes that the gate counts for the page */
};

static bool read_query(struct evhttp_request *req, struct listing *l);
static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n);
static void on_counted(void *arg, enum err e, int64_t n);
static void scan(struct listing *l);
static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next);
static void end_edge(struct listing *l);
static void answer(struct listing *l);

static void listing_free(struct listing *l)
{
	*l->back = l->next;
	if (l->next != NULL)
		l->next->back = l->back;
	for (size_t i = 0; i < l->n; i++)
		free(l->page[i].json);
	gate_release(l->waiting.m->gate, l->held);
	free(l->page);
	free(l->edges);
	free(l);
}

/* The store has it still: it is freed when that answers, or never will. */
static void on_asker_gone(struct waiting *w)
{
	w->req = NULL;
}

void management_list_close(struct management *m)
{
	while (m->listings != NULL)
		listing_free(m->listings);
}

void management_list(struct management *m, struct evhttp_request *req)
{
	struct listing *l = xcalloc(1, sizeof *l);

	l->next = m->listings;
	l->back = &m->listings;
	if (l->next != NULL)
		l->next->back = &l->next;
	m->listings = l;
	l->waiting.m = m;
	if (!read_query(req, l)) {
		listing_free(l);
		return;
	}
	waiting_begin(&l->waiting, m, req, on_asker_gone);
	store_edges_list(m->broker->store, on_edges, l);
}

/* ---- what is asked for ---- */

static bool read_limit(struct evhttp_request *req, struct listing *l)
{
	char *text = query_parameter(req, "limit"), *end = NULL;
	unsigned long n = text ? strtoul(text, &end, 10) : LIMIT;
	bool ok = text == NULL ||
		  (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= LIMIT_MOST);

	if (!ok)
		answer_bad(req, "limit is a number from 0 to %d", LIMIT_MOST);
	l->limit = n;
	free(text);
	return ok;
}

static bool read_query(struct evhttp_request *req, struct listing *l)
{
	char *cursor;
	struct id id;
	bool ok;

	if (!read_limit(req, l))
		return false;
	cursor = query_parameter(req, "cursor");
	ok = cursor == NULL || id_parse(span_str(cursor), &id) == OK;
	if (!ok)
		answer_bad(req, "cursor is not from a previous page");
	if (ok && cursor != NULL) {
		id_text(&id, l->after);
		l->from = id_edge(&id);
	}
	free(cursor);
	return ok;
}

/* True when there is nobody to go on for, or no store to ask. */
static bool ends(struct listing *l, enum err e)
{
	if (l->waiting.req != NULL && e == OK)
		return false;
	if (l->waiting.req != NULL)
		answer_refusal_text(waiting_end(&l->waiting), 503,
				    "ServiceUnavailableException",
				    "The connection table cannot be read: try again");
	return true;
}

/* ---- the number of all rows ---- */

static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n)
{
	struct listing *l = arg;
	struct store *store = l->waiting.m->broker->store;

	if (ends(l, e)) {
		listing_free(l);
		return;
	}
	l->edges = xcalloc(n + 1, sizeof *l->edges);
	memcpy(l->edges, numbers, n * sizeof *numbers);
	l->n_edges = l->uncounted = n;
	for (size_t i = 0; i < n; i++)
		store_connection_count(store, l->edges[i], on_counted, l);
	if (n == 0)
		answer(l);
}

static void on_counted(void *arg, enum err e, int64_t n)
{
	struct listing *l = arg;

	l->count += n;
	if (e != OK)
		l->count = INT64_MIN; /* stays under zero */
	if (--l->uncounted > 0)
		return;
	if (ends(l, l->count < 0 ? ERR_DOWN : OK))
		listing_free(l);
	else
		scan(l);
}

/* ---- the rows of one edge ---- */

static void scan(struct listing *l)
{
	while (l->at < l->n_edges && l->edges[l->at] < l->from)
		l->at++;
	if (l->at == l->n_edges || l->n == l->limit)
		answer(l);
	else
		store_connection_scan(l->waiting.m->broker->store, l->edges[l->at], 0,
				      on_rows, l);
}

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static size_t entry_bytes(const struct entry *e)
{
	return sizeof *e + strlen(e->json);
}

static void entry_close(struct listing *l, struct entry *e)
{
	gate_release(l->waiting.m->gate, entry_bytes(e));
	l->held -= entry_bytes(e);
	free(e->json);
}

/* The smallest ids of this edge, each once, as many as the page still takes. */
static void tidy(struct listing *l)
{
	struct entry *e = l->page + l->done;
	size_t n = l->n - l->done, kept = 0;

	if (n > 0)
		qsort(e, n, sizeof *e, by_id);
	for (size_t i = 0; i < n; i++) {
		bool twice = kept > 0 && strcmp(e[kept - 1].id, e[i].id) == 0;

		if (twice || l->done + kept == l->limit)
			entry_close(l, &e[i]);
		else
			e[kept++] = e[i];
	}
	l->n = l->done + kept;
}

static char *print_row(const struct connection_row *row)
{
	struct evbuffer *out = evbuffer_new();
	char at[CLOCK_ISO];
	char *text;
	size_t n;

	clock_iso(row->connected_at_ms, at);
	evbuffer_add_printf(out,
			    "{\"connectionId\":\"%.*s\",\"connectedAt\":\"%s\","
			    "\"identity\":{\"sourceIp\":",
			    SPAN_ARG(row->id), at);
	json_escape(row->source_ip, out);
	evbuffer_add_printf(out, ",\"userAgent\":");
	json_escape(row->user_agent, out);
	evbuffer_add_printf(out, "},\"domainName\":");
	json_escape(row->domain_name, out);
	evbuffer_add_printf(out, ",\"stage\":");
	json_escape(row->stage, out);
	evbuffer_add_printf(out, "}");
	n = evbuffer_get_length(out);
	text = span_dup(span_of(evbuffer_pullup(out, -1), n));
	evbuffer_free(out);
	return text;
}

static void take_row(struct listing *l, const struct connection_row *row)
{
	struct entry *e;
	struct id id;
	char text[ID_TEXT];

	if (id_parse(row->id, &id) != OK)
		return; /* not a row of ours */
	id_text(&id, text);
	if (row->edge == l->from && strcmp(text, l->after) <= 0)
		return;
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->page = xrealloc(l->page, l->room * sizeof *l->page);
	}
	e = &l->page[l->n++];
	memcpy(e->id, text, sizeof text);
	e->json = print_row(row);
	gate_hold(l->waiting.m->gate, entry_bytes(e));
	l->held += entry_bytes(e);
}

/* Pages that are being made count with the answers that wait to be read. */
static bool is_too_much(struct listing *l)
{
	if (l->waiting.req == NULL || gate_has_room(l->waiting.m->gate, l->held) == OK)
		return false;
	answer_no_memory(waiting_end(&l->waiting));
	return true;
}

static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next)
{
	struct listing *l = arg;

	if (ends(l, e)) {
		listing_free(l);
		return;
	}
	for (size_t i = 0; i < n; i++)
		take_row(l, &rows[i]);
	if (l->n > 2 * l->limit)
		tidy(l);
	if (is_too_much(l))
		listing_free(l);
	else if (next == 0)
		end_edge(l);
	else
		store_connection_scan(l->waiting.m->broker->store, l->edges[l->at], next,
				      on_rows, l);
}

static void end_edge(struct listing *l)
{
	tidy(l);
	l->done = l->n;
	l->at++;
	scan(l);
}

/* ---- the page ---- */

static void answer(struct listing *l)
{
	struct evhttp_request *req = waiting_end(&l->waiting);
	struct evbuffer *out = evbuffer_new();

	evbuffer_add_printf(out, "{\"count\":%" PRId64 ",\"connections\":[", l->count);
	for (size_t i = 0; i < l->n; i++)
		evbuffer_add_printf(out, "%s%s", i > 0 ? ",\n" : "\n", l->page[i].json);
	evbuffer_add_printf(out, "]");
	if (l->n > 0 && l->n == l->limit)
		evbuffer_add_printf(out, ",\"cursor\":\"%s\"", l->page[l->n - 1].id);
	evbuffer_add_printf(out, "}\n");
	answer_json(req, 200, "OK", out);
	evbuffer_free(out);
	listing_free(l);
}
