#include "fake_store.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

struct question {
	STAILQ_ENTRY(question) next;
	struct fake_asked asked;
	union {
		store_done_fn *done;
		store_lease_fn *number;
		store_members_fn *view;
		store_edges_fn *list;
		store_edge_fn *state;
		store_reap_fn *reaped;
		store_scan_fn *rows;
		store_connection_fn *row;
	} fn;
	void *arg;
};

static STAILQ_HEAD(, question) waiting = STAILQ_HEAD_INITIALIZER(waiting);
static bool is_up = true;
static int64_t lost_ms;
static char nothing;

struct store *fake_store(void)
{
	return (struct store *)(void *)&nothing;
}

void fake_store_set_up(bool up)
{
	is_up = up;
}

void fake_store_set_lost(int64_t ms)
{
	lost_ms = ms;
}

static struct question *ask(enum fake_question what, uint16_t edge, void *arg)
{
	struct question *q = xcalloc(1, sizeof *q);

	q->asked.what = what;
	q->asked.edge = edge;
	q->arg = arg;
	STAILQ_INSERT_TAIL(&waiting, q, next);
	return q;
}

static struct question *find(enum fake_question what)
{
	struct question *q;

	STAILQ_FOREACH (q, &waiting, next)
		if (q->asked.what == what)
			return q;
	cr_fatal("the store was not asked that");
	return NULL;
}

static struct question take(enum fake_question what)
{
	struct question *q = find(what), copy = *q;

	STAILQ_REMOVE(&waiting, q, question, next);
	free(q);
	return copy;
}

const struct fake_asked *fake_store_asked(enum fake_question what)
{
	return &find(what)->asked;
}

size_t fake_store_waiting(enum fake_question what)
{
	struct question *q;
	size_t n = 0;

	STAILQ_FOREACH (q, &waiting, next)
		n += q->asked.what == what;
	return n;
}

void fake_store_close(void)
{
	struct question *q;

	while ((q = STAILQ_FIRST(&waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiting, next);
		free(q);
	}
}

static void copy(char *to, size_t n, struct span s)
{
	snprintf(to, n, "%.*s", SPAN_ARG(s));
}

/* ---- the store's functions ---- */

bool store_is_up(const struct store *st)
{
	(void)st;
	return is_up;
}

int64_t store_lost_ms(const struct store *st)
{
	(void)st;
	return lost_ms;
}

void store_members_beat(struct store *st, const struct member *self, const char *proposed,
			int64_t ttl_ms, store_members_fn *fn, void *arg)
{
	struct question *q = ask(BEAT, 0, arg);

	(void)st;
	(void)proposed;
	copy(q->asked.boot, sizeof q->asked.boot, self->boot);
	copy(q->asked.text, sizeof q->asked.text, self->endpoint);
	copy(q->asked.edges, sizeof q->asked.edges, self->edges);
	q->asked.ms = ttl_ms;
	q->fn.view = fn;
}

void store_members_leave(struct store *st, struct span boot, store_done_fn *fn, void *arg)
{
	struct question *q = ask(LEAVE, 0, arg);

	(void)st;
	copy(q->asked.boot, sizeof q->asked.boot, boot);
	q->fn.done = fn;
}

void store_lease_acquire(struct store *st, const char *boot, uint16_t wanted,
			 int64_t ttl_ms, bool sure, store_lease_fn *fn, void *arg)
{
	struct question *q = ask(TAKE, wanted, arg);

	(void)st;
	copy(q->asked.boot, sizeof q->asked.boot, span_str(boot));
	q->asked.ms = ttl_ms;
	q->asked.sure = sure;
	q->fn.number = fn;
}

void store_lease_renew(struct store *st, uint16_t number, const char *boot,
		       int64_t ttl_ms, store_done_fn *fn, void *arg)
{
	struct question *q = ask(RENEW, number, arg);

	(void)st;
	copy(q->asked.boot, sizeof q->asked.boot, span_str(boot));
	q->asked.ms = ttl_ms;
	q->fn.done = fn;
}

void store_edges_list(struct store *st, store_edges_fn *fn, void *arg)
{
	(void)st;
	ask(LIST, 0, arg)->fn.list = fn;
}

void store_edge_get(struct store *st, uint16_t number, store_edge_fn *fn, void *arg)
{
	(void)st;
	ask(LOOK, number, arg)->fn.state = fn;
}

void store_edge_reap(struct store *st, uint16_t number, int most, const char *reason,
		     store_reap_fn *fn, void *arg)
{
	struct question *q = ask(REAP, number, arg);

	(void)st;
	q->asked.n = (size_t)most;
	copy(q->asked.text, sizeof q->asked.text, span_str(reason));
	q->fn.reaped = fn;
}

void store_edge_fence(struct store *st, uint16_t number, const char *boot,
		      store_done_fn *fn, void *arg)
{
	struct question *q = ask(FENCE, number, arg);

	(void)st;
	copy(q->asked.boot, sizeof q->asked.boot, span_str(boot));
	q->fn.done = fn;
}

void store_edge_synced(struct store *st, uint16_t number, const char *cluster,
		       store_done_fn *fn, void *arg)
{
	struct question *q = ask(SYNCED, number, arg);

	(void)st;
	copy(q->asked.text, sizeof q->asked.text, span_str(cluster));
	q->fn.done = fn;
}

void store_edge_forget(struct store *st, uint16_t number, store_done_fn *fn, void *arg)
{
	(void)st;
	ask(FORGET, number, arg)->fn.done = fn;
}

void store_connection_put_many(struct store *st, uint16_t edge, const char *boot,
			       const struct connection_row *rows, size_t n,
			       store_done_fn *fn, void *arg)
{
	struct question *q = ask(PUT, edge, arg);

	(void)st;
	copy(q->asked.boot, sizeof q->asked.boot, span_str(boot));
	q->asked.n = n;
	for (size_t i = 0; i < n && i < FAKE_IDS; i++)
		copy(q->asked.ids[i], ID_TEXT, rows[i].id);
	if (n > 0)
		copy(q->asked.text, sizeof q->asked.text, rows[0].stage);
	q->fn.done = fn;
}

void store_connection_scan(struct store *st, uint16_t edge, uint64_t cursor,
			   store_scan_fn *fn, void *arg)
{
	struct question *q = ask(SCAN, edge, arg);

	(void)st;
	q->asked.cursor = cursor;
	q->fn.rows = fn;
}

void store_connection_sweep(struct store *st, uint16_t edge, const struct span *ids,
			    size_t n, store_done_fn *fn, void *arg)
{
	struct question *q = ask(SWEEP, edge, arg);

	(void)st;
	q->asked.n = n;
	for (size_t i = 0; i < n && i < FAKE_IDS; i++)
		copy(q->asked.ids[i], ID_TEXT, ids[i]);
	q->fn.done = fn;
}

void store_connection_find(struct store *st, uint16_t edge, struct span id,
			   store_connection_fn *fn, void *arg)
{
	struct question *q = ask(FIND, edge, arg);

	(void)st;
	copy(q->asked.ids[0], ID_TEXT, id);
	q->fn.row = fn;
}

/* ---- answers ---- */

void fake_store_done(enum fake_question what, enum err e)
{
	struct question q = take(what);

	q.fn.done(q.arg, e);
}

void fake_store_number(enum err e, uint16_t number)
{
	struct question q = take(TAKE);

	q.fn.number(q.arg, e, number);
}

void fake_store_view(enum err e, const struct members_view *v)
{
	struct question q = take(BEAT);

	q.fn.view(q.arg, e, v);
}

void fake_store_list(enum err e, const uint16_t *numbers, size_t n)
{
	struct question q = take(LIST);

	q.fn.list(q.arg, e, numbers, n);
}

void fake_store_state(enum err e, const struct edge_state *s)
{
	struct question q = take(LOOK);

	q.fn.state(q.arg, e, s);
}

void fake_store_reaped(enum err e, const struct edge_reaped *r)
{
	struct question q = take(REAP);

	q.fn.reaped(q.arg, e, r);
}

void fake_store_rows(enum err e, const char *const *ids, size_t n, uint64_t next)
{
	struct question q = take(SCAN);
	struct connection_row *rows = xcalloc(n + 1, sizeof *rows);

	for (size_t i = 0; i < n; i++)
		rows[i].id = span_str(ids[i]);
	q.fn.rows(q.arg, e, rows, n, next);
	free(rows);
}

void fake_store_row(enum err e)
{
	struct connection_row row = {0};
	struct question q = take(FIND);

	q.fn.row(q.arg, e, e == OK ? &row : NULL);
}
