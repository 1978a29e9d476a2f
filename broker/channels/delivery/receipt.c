#include "broker/channels/delivery/receipt.h"

#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { WAIT_MS = 2000 };

/* What distinguishes the tickets here from those of commands, which count from 1. */
static const uint64_t mark = UINT64_C(1) << 63;

struct receipt {
	uint64_t ticket; /* the key */
	struct receipts *receipts;
	struct edge_link **edges; /* that have not answered yet; compared, not used */
	size_t n, room;
	uint32_t n_edges, n_connections;
	receipt_fn *fn; /* NULL: Delivers are still being sent */
	void *arg;
	int64_t until_ms;
	TAILQ_ENTRY(receipt) next; /* of those that are awaited */
};

struct receipts {
	struct loop *loop;
	struct timer *timer; /* for the first */
	struct map *by_ticket;
	TAILQ_HEAD(, receipt) awaited;
	uint64_t last;
};

static void on_time(void *arg);

struct receipts *receipts_new(struct loop *l)
{
	struct receipts *rs = xcalloc(1, sizeof *rs);

	rs->loop = l;
	rs->timer = timer_new(l, on_time, rs);
	rs->by_ticket = map_new();
	TAILQ_INIT(&rs->awaited);
	return rs;
}

static void receipt_free(struct receipt *r)
{
	map_remove(r->receipts->by_ticket, span_of(&r->ticket, sizeof r->ticket));
	if (r->fn != NULL)
		TAILQ_REMOVE(&r->receipts->awaited, r, next);
	free(r->edges);
	free(r);
}

void receipts_free(struct receipts *rs)
{
	struct receipt *r;

	if (rs == NULL)
		return;
	for (size_t at = 0; (r = map_next(rs->by_ticket, &at)) != NULL;)
		receipt_free(r);
	map_free(rs->by_ticket);
	timer_free(rs->timer);
	free(rs);
}

struct receipt *receipt_new(struct receipts *rs)
{
	struct receipt *r = xcalloc(1, sizeof *r);

	r->receipts = rs;
	r->ticket = mark | ++rs->last;
	map_put(rs->by_ticket, span_of(&r->ticket, sizeof r->ticket), r);
	return r;
}

uint64_t receipt_ticket(const struct receipt *r)
{
	return r->ticket;
}

void receipt_expect(struct receipt *r, struct edge_link *edge)
{
	if (r->n == r->room) {
		r->room = r->room ? 2 * r->room : 4;
		r->edges = xrealloc(r->edges, r->room * sizeof(struct edge_link *));
	}
	r->edges[r->n++] = edge;
}

static void finish(struct receipt *r)
{
	receipt_fn *fn = r->fn;
	void *arg = r->arg;
	uint32_t edges = r->n_edges, connections = r->n_connections;

	receipt_free(r);
	fn(arg, edges, connections);
}

void receipt_await(struct receipt *r, receipt_fn *fn, void *arg)
{
	struct receipts *rs = r->receipts;

	r->fn = fn;
	r->arg = arg;
	r->until_ms = loop_now(rs->loop) + WAIT_MS;
	if (TAILQ_EMPTY(&rs->awaited))
		timer_after(rs->timer, WAIT_MS);
	TAILQ_INSERT_TAIL(&rs->awaited, r, next);
	if (r->n == 0)
		finish(r);
}

/* The edge is not waited for any more. False: it was not. */
static bool remove_edge(struct receipt *r, const struct edge_link *edge)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->edges[i] == edge) {
			r->edges[i] = r->edges[--r->n];
			return true;
		}
	return false;
}

bool receipts_outcome(struct receipts *rs, struct edge_link *from,
		      const Gatepost__Outcome *o)
{
	struct receipt *r;

	if ((o->ticket & mark) == 0)
		return false;
	r = map_find(rs->by_ticket, span_of(&o->ticket, sizeof o->ticket));
	if (r == NULL || !remove_edge(r, from)) /* it comes too late, or twice */
		return true;
	r->n_edges += o->reached > 0;
	r->n_connections += o->reached;
	if (r->n == 0 && r->fn != NULL)
		finish(r);
	return true;
}

/* Finishing one may begin others: the first that is complete, until there is none. */
static struct receipt *first_complete(struct receipts *rs)
{
	struct receipt *r;

	TAILQ_FOREACH (r, &rs->awaited, next)
		if (r->n == 0)
			return r;
	return NULL;
}

void receipts_link_lost(struct receipts *rs, struct edge_link *edge)
{
	struct receipt *r;
	bool changed = false;

	for (size_t at = 0; (r = map_next(rs->by_ticket, &at)) != NULL;)
		changed = remove_edge(r, edge) || changed;
	if (changed) /* not from here: edges_free calls this, too */
		timer_after(rs->timer, 0);
}

static void on_time(void *arg)
{
	struct receipts *rs = arg;
	struct receipt *r;
	int64_t now = loop_now(rs->loop);

	while ((r = first_complete(rs)) != NULL)
		finish(r);
	while ((r = TAILQ_FIRST(&rs->awaited)) != NULL && r->until_ms <= now)
		finish(r);
	if (r != NULL)
		timer_after(rs->timer, r->until_ms - now);
}
