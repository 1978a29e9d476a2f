/*
 * The connection table page by page, in the order of edges and, within one, of ids:
 *
 *   list_get          ?limit= and ?cursor=, the last id of the page before
 *   on_edges          which edges may have rows; how many each has: on_counted
 *   scan              the rows of one edge, some at a time: on_rows
 *   end_edge          the smallest ids behind the cursor are the page; the next edge, or
 *   answer            {"count":2,"connections":[{…}],"cursor":"…"}
 *
 * Redis keeps no order, so a page reads all rows of its edge. In return it holds what it
 * says: a row that exists from the first page to the last is on exactly one of them.
 */
#include "broker/api/list.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/api/answer.h"
#include "http/query.h"
#include "json/read.h"
#include "proto/id.h"
#include "store/connections.h"
#include "store/leases.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { LIMIT = 1000, LIMIT_MOST = 10000 };

struct entry {
	char id[ID_TEXT];
	char *json;
};

struct listing {
	LIST_ENTRY(listing) all;
	struct list *list;
	struct http_request
		*request; /* NULL once it is answered, or its client has hung up */
	size_t limit;
	char after[ID_TEXT]; /* the cursor; empty: from the beginning */
	uint16_t from;       /* its edge */
	uint16_t *edges;
	size_t n_edges, at, uncounted;
	int64_t count;
	struct entry *page;
	size_t n, room;
	size_t done; /* of the page: those of the edges before */
	size_t held; /* bytes of the page that the server counts */
};

struct list {
	struct store *store;
	struct http_server *http;
	LIST_HEAD(, listing) listings; /* those that wait for the store */
};

static bool read_query(struct http_request *q, struct listing *l);
static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n);
static void on_counted(void *arg, enum err e, int64_t n);
static void scan(struct listing *l);
static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next);
static void end_edge(struct listing *l);
static void answer(struct listing *l);

/* ---- life ---- */

static void hold(struct listing *l, size_t bytes)
{
	http_hold(l->list->http, bytes);
	l->held += bytes;
}

static void release(struct listing *l, size_t bytes)
{
	http_release(l->list->http, bytes);
	l->held -= bytes;
}

static void listing_free(struct listing *l)
{
	LIST_REMOVE(l, all);
	for (size_t i = 0; i < l->n; i++)
		free(l->page[i].json);
	if (l->held > 0)
		release(l, l->held);
	free(l->page);
	free(l->edges);
	free(l);
}

/* The store has it still: it is freed when that answers, or never will. */
static void on_gone(void *arg)
{
	struct listing *l = arg;

	l->request = NULL;
	release(l, l->held);
}

struct list *list_new(struct store *st, struct http_server *http)
{
	struct list *l = xcalloc(1, sizeof *l);

	l->store = st;
	l->http = http;
	LIST_INIT(&l->listings);
	return l;
}

void list_free(struct list *l)
{
	struct listing *one;

	if (l == NULL)
		return;
	while ((one = LIST_FIRST(&l->listings)) != NULL)
		listing_free(one);
	free(l);
}

void list_get(struct list *list, struct http_request *q)
{
	struct listing *l = xcalloc(1, sizeof *l);

	l->list = list;
	LIST_INSERT_HEAD(&list->listings, l, all);
	if (!read_query(q, l)) {
		listing_free(l);
		return;
	}
	l->request = q;
	http_keep(q, on_gone, l);
	store_edges_list(list->store, on_edges, l);
}

static struct http_request *wake(struct listing *l)
{
	struct http_request *q = l->request;

	l->request = NULL;
	return q;
}

/* ---- what is asked for ---- */

static bool read_limit(struct http_request *q, struct listing *l)
{
	char *text = query_parameter(q->head.query, "limit"), *end = NULL;
	unsigned long n = text ? strtoul(text, &end, 10) : LIMIT;
	bool ok = text == NULL ||
		  (text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= LIMIT_MOST);

	if (!ok)
		answer_bad(q, "limit is a number from 0 to %d", LIMIT_MOST);
	l->limit = n;
	free(text);
	return ok;
}

static bool read_query(struct http_request *q, struct listing *l)
{
	char *cursor;
	struct id id;
	bool ok;

	if (!read_limit(q, l))
		return false;
	cursor = query_parameter(q->head.query, "cursor");
	ok = cursor == NULL || id_parse(span_str(cursor), &id) == OK;
	if (!ok)
		answer_bad(q, "cursor is not from a previous page");
	if (ok && cursor != NULL) {
		id_text(&id, l->after);
		l->from = id_edge(&id);
	}
	free(cursor);
	return ok;
}

/* True if the client has gone, or the store was freed. */
static bool ends(struct listing *l, enum err e)
{
	if (l->request != NULL && e == OK)
		return false;
	if (l->request != NULL)
		answer_refusal_logged(wake(l), 503, answer_type(503),
				      "The connection table is unavailable, retry");
	return true;
}

/* ---- the number of all rows ---- */

static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n)
{
	struct listing *l = arg;

	if (ends(l, e)) {
		listing_free(l);
		return;
	}
	l->edges = xcalloc(n + 1, sizeof *l->edges);
	if (n > 0)
		memcpy(l->edges, numbers, n * sizeof *numbers);
	l->n_edges = l->uncounted = n;
	for (size_t i = 0; i < n; i++)
		store_connection_count(l->list->store, l->edges[i], on_counted, l);
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
		store_connection_scan(l->list->store, l->edges[l->at], 0, on_rows, l);
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
	release(l, entry_bytes(e));
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
		return; /* a foreign row */
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
	hold(l, entry_bytes(e));
}

/* Pages that are being made count with the answers that wait to be read. */
static bool is_too_much(struct listing *l)
{
	if (http_has_capacity(l->list->http, l->held))
		return false;
	answer_no_memory(wake(l));
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
		store_connection_scan(l->list->store, l->edges[l->at], next, on_rows, l);
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
	struct evbuffer *out = evbuffer_new();

	assert(out != NULL);
	evbuffer_add_printf(out, "{\"count\":%" PRId64 ",\"connections\":[", l->count);
	for (size_t i = 0; i < l->n; i++)
		evbuffer_add_printf(out, "%s%s", i > 0 ? ",\n" : "\n", l->page[i].json);
	evbuffer_add_printf(out, "]");
	if (l->n > 0 && l->n == l->limit)
		evbuffer_add_printf(out, ",\"cursor\":\"%s\"", l->page[l->n - 1].id);
	evbuffer_add_printf(out, "}\n");
	answer_json(wake(l), 200, out);
	evbuffer_free(out);
	listing_free(l);
}
