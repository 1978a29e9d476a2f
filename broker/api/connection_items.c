/*
 *   page      which edges may have rows: on_edges
 *   next_edge reads the rows of one edge: on_rows
 *   end_edge  the smallest ids behind the key go into the page; the next edge, or the answer
 *
 * Redis keeps no order, so a page reads all rows of its edge (as list.c).
 */
#include "broker/api/connection_items.h"

#include "base/clock.h"
#include "base/mem.h"
#include "json/write.h"
#include "proto/envelope.h"
#include "proto/id.h"
#include "store/connections.h"
#include "store/leases.h"

#include <stdlib.h>
#include <sys/queue.h>

struct entry {
	char id[ID_TEXT];
	struct blob *json;
};

/* A question that waits. */
struct question {
	LIST_ENTRY(question) all;
	struct connection_items *of;
	foreign_fn *fn;
	void *arg;
	size_t most;
	char after[ID_TEXT]; /* empty: from the beginning */
	uint16_t from;       /* its edge */
	uint16_t *edges;
	size_t n_edges, at;
	struct entry *list;
	size_t n, room;
	size_t done; /* of the list: those of the edges before */
};

struct connection_items {
	struct store *store;
	LIST_HEAD(, question) questions;
};

static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n);
static void next_edge(struct question *q);
static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next);
static void end_edge(struct question *q);
static void on_found(void *arg, enum err e, const struct connection_row *row);

/* ---- life ---- */

struct connection_items *connection_items_new(struct store *st)
{
	struct connection_items *c = xcalloc(1, sizeof *c);

	c->store = st;
	LIST_INIT(&c->questions);
	return c;
}

static void question_free(struct question *q)
{
	LIST_REMOVE(q, all);
	for (size_t i = 0; i < q->n; i++)
		blob_unref(q->list[i].json);
	free(q->list);
	free(q->edges);
	free(q);
}

void connection_items_free(struct connection_items *c)
{
	struct question *q;

	if (c == NULL)
		return;
	while ((q = LIST_FIRST(&c->questions)) != NULL)
		question_free(q);
	free(c);
}

static struct question *question_new(struct connection_items *c, foreign_fn *fn,
				     void *arg)
{
	struct question *q = xcalloc(1, sizeof *q);

	q->of = c;
	q->fn = fn;
	q->arg = arg;
	LIST_INSERT_HEAD(&c->questions, q, all);
	return q;
}

/* Ends the question. is_last: nothing stands behind the list. */
static void answer(struct question *q, enum err e, bool is_last)
{
	struct span *items = xcalloc(q->n + 1, sizeof *items);

	for (size_t i = 0; i < q->n; i++)
		items[i] = blob_span(q->list[i].json);
	q->fn(q->arg, e, items, e == OK ? q->n : 0, is_last);
	free(items);
	question_free(q);
}

/* ---- an item ---- */

static void write_text(struct json_out *o, const char *name, struct span text)
{
	if (text.n == 0)
		return;
	json_out_raw(o, ",\"");
	json_out_raw(o, name);
	json_out_raw(o, "\":{\"S\":\"");
	json_out_latin(o, text);
	json_out_raw(o, "\"}");
}

/* What an authorizer said, as its JSON text, and who it is. */
static void write_context(struct json_out *o, struct span packed)
{
	Gatepost__Context *c = gatepost__context__unpack(NULL, packed.n, packed.p);

	if (c == NULL)
		return;
	write_text(o, "authorizer", span_of(c->authorizer.data, c->authorizer.len));
	write_text(o, "user", span_of(c->user.data, c->user.len));
	gatepost__context__free_unpacked(c, NULL);
}

static struct blob *write_item(const struct connection_row *row, const char *id)
{
	char at[CLOCK_ISO];
	struct json_out o;

	json_out_init(&o, 512);
	json_out_raw(&o, "{\"connectionId\":{\"S\":\"");
	json_out_raw(&o, id);
	json_out_raw(&o, "\"},\"edge\":{\"N\":\"");
	json_out_number(&o, row->edge);
	json_out_raw(&o, "\"},\"connectedAt\":{\"N\":\"");
	json_out_number(&o, row->connected_at_ms);
	json_out_raw(&o, "\"}");
	clock_iso(row->connected_at_ms, at);
	write_text(&o, "connectedTime", span_str(at));
	write_text(&o, "sourceIp", row->source_ip);
	write_text(&o, "userAgent", row->user_agent);
	write_text(&o, "domainName", row->domain_name);
	write_text(&o, "stage", row->stage);
	if (row->context.n > 0)
		write_context(&o, row->context);
	json_out_raw(&o, "}");
	return json_out_end(&o);
}

static void add(struct question *q, const struct connection_row *row)
{
	struct id id;
	char text[ID_TEXT];

	if (id_parse(row->id, &id) != OK)
		return; /* a foreign row */
	id_text(&id, text);
	if (row->edge == q->from && strcmp(text, q->after) <= 0)
		return;
	if (q->n == q->room) {
		q->room = q->room ? 2 * q->room : 256;
		q->list = xrealloc(q->list, q->room * sizeof *q->list);
	}
	memcpy(q->list[q->n].id, text, sizeof text);
	q->list[q->n++].json = write_item(row, text);
}

/* ---- a page ---- */

static void page(void *arg, struct span after, size_t most, foreign_fn *fn, void *fn_arg)
{
	struct connection_items *c = arg;
	struct question *q = question_new(c, fn, fn_arg);
	struct id id;

	q->most = most;
	if (after.n > 0 && id_parse(after, &id) == OK) {
		id_text(&id, q->after);
		q->from = id_edge(&id);
	}
	store_edges_list(c->store, on_edges, q);
}

static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n)
{
	struct question *q = arg;

	if (e != OK) {
		answer(q, e, true);
		return;
	}
	q->edges = xcalloc(n + 1, sizeof *q->edges);
	if (n > 0)
		memcpy(q->edges, numbers, n * sizeof *numbers);
	q->n_edges = n;
	while (q->at < n && q->edges[q->at] < q->from)
		q->at++;
	next_edge(q);
}

static void next_edge(struct question *q)
{
	if (q->at == q->n_edges || q->n == q->most)
		answer(q, OK, q->at == q->n_edges);
	else
		store_connection_scan(q->of->store, q->edges[q->at], 0, on_rows, q);
}

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->id, y->id);
}

/* The smallest ids of this edge, each once, as many as the page still takes. False: some did not fit. */
static bool tidy(struct question *q)
{
	struct entry *e = q->list + q->done;
	size_t n = q->n - q->done, kept = 0;
	bool all = true;

	if (n > 0)
		qsort(e, n, sizeof *e, by_id);
	for (size_t i = 0; i < n; i++) {
		bool twice = kept > 0 && strcmp(e[kept - 1].id, e[i].id) == 0;

		if (!twice && q->done + kept < q->most) {
			e[kept++] = e[i];
			continue;
		}
		all = all && twice;
		blob_unref(e[i].json);
	}
	q->n = q->done + kept;
	return all;
}

static void on_rows(void *arg, enum err e, const struct connection_row *rows, size_t n,
		    uint64_t next)
{
	struct question *q = arg;

	if (e != OK) {
		answer(q, e, true);
		return;
	}
	for (size_t i = 0; i < n; i++)
		add(q, &rows[i]);
	if (next == 0)
		end_edge(q);
	else
		store_connection_scan(q->of->store, q->edges[q->at], next, on_rows, q);
}

static void end_edge(struct question *q)
{
	if (!tidy(q)) {
		answer(q, OK, false);
		return;
	}
	q->done = q->n;
	q->at++;
	next_edge(q);
}

/* ---- one ---- */

static void find(void *arg, struct span key, foreign_fn *fn, void *fn_arg)
{
	struct connection_items *c = arg;
	struct question *q = question_new(c, fn, fn_arg);
	char text[ID_TEXT];
	struct id id;

	if (id_parse(key, &id) != OK)
		id = id_make(0, 0, 0); /* nobody's: it is found nowhere */
	store_connection_find(c->store, id_edge(&id), span_str(id_text(&id, text)),
			      on_found, q);
}

static void on_found(void *arg, enum err e, const struct connection_row *row)
{
	struct question *q = arg;

	if (e == OK)
		add(q, row);
	answer(q, e == ERR_NOTFOUND ? OK : e, true);
}

struct tables_foreign connection_items_table(struct connection_items *c)
{
	return (struct tables_foreign){
		.name = "gatepost.connections",
		.key = "connectionId",
		.page = page,
		.find = find,
		.arg = c,
	};
}
