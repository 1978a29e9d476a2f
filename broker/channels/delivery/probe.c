#include "broker/channels/delivery/probe.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/channels/delivery/fanout.h"
#include "proto/batch.h"
#include "proto/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { MISSES = 2 }; /* in a row: delivery does not work */

/* A link that is up; one that has ended stays until its last probe has come to an end. */
struct target {
	LIST_ENTRY(target) next;
	struct probes *probes;
	struct edge_link *edge; /* NULL: the link has ended */
	bool is_new;            /* what it carries may still be on its way */
	bool is_under_way;
	unsigned missed; /* in a row */
};

struct probes {
	struct probes_uses uses;
	struct timer *timer;
	struct blob *body;
	LIST_HEAD(, target) targets;
	struct metric *delivered, *missed;
	char text[128];
};

static void tick(void *arg);
static void on_end(void *arg, uint32_t edges, uint32_t connections);

struct probes *probes_new(const struct probes_uses *uses)
{
	static const char NAME[] = "gatepost_broker_delivery_probes_total";
	struct probes *p = xcalloc(1, sizeof *p);

	p->uses = *uses;
	LIST_INIT(&p->targets);
	p->body = blob_new(span_str("{}"));
	p->delivered = metric_counter(uses->metrics, NAME, "result=\"delivered\"",
				      "Publications to each edge that check whether "
				      "delivery works");
	p->missed = metric_counter(uses->metrics, NAME, "result=\"missed\"", "");
	p->timer = timer_new(uses->loop, tick, p);
	timer_every(p->timer, PROBE_MS);
	return p;
}

static void target_free(struct target *t)
{
	LIST_REMOVE(t, next);
	free(t);
}

void probes_free(struct probes *p)
{
	if (p == NULL)
		return;
	while (!LIST_EMPTY(&p->targets))
		target_free(LIST_FIRST(&p->targets));
	timer_free(p->timer);
	blob_unref(p->body);
	free(p);
}

static struct target *find(const struct probes *p, const struct edge_link *edge)
{
	struct target *t;

	LIST_FOREACH (t, &p->targets, next)
		if (t->edge == edge)
			return t;
	return NULL;
}

void probes_link_up(struct probes *p, struct edge_link *edge)
{
	struct target *t = xcalloc(1, sizeof *t);

	t->probes = p;
	t->edge = edge;
	t->is_new = true;
	LIST_INSERT_HEAD(&p->targets, t, next);
}

void probes_link_lost(struct probes *p, struct edge_link *edge)
{
	struct target *t = find(p, edge);

	if (t == NULL) /* it was not up */
		return;
	t->edge = NULL;
	if (!t->is_under_way)
		target_free(t);
}

/* ---- a probe ---- */

static const char *name_of(const struct target *t)
{
	return edge_link_out(t->edge)->peer;
}

static void miss(struct target *t)
{
	metric_add(t->probes->missed, 1);
	if (++t->missed == MISSES)
		log_warn("delivery.failed", S("edge", name_of(t)),
			 S("hint", "subscribers there may get nothing: if it goes on, "
				   "restart this edge"));
}

static void arrive(struct target *t)
{
	metric_add(t->probes->delivered, 1);
	if (t->missed >= MISSES)
		log_info("delivery.works", S("edge", name_of(t)));
	t->missed = 0;
}

/* The edge carries the channel; without credit it does not keep up, and the probe is missed. */
static void send_one(void *arg, struct edge_link *edge)
{
	struct probes *p = arg;
	struct target *t = find(p, edge);
	Gatepost__Deliver *m;
	struct receipt *r;
	struct batch *b;

	if (t == NULL || t->is_under_way)
		return;
	m = edge_link_deliver(edge, p->body->n);
	if (m == NULL)
		return;
	t->is_under_way = true;
	b = &edge_link_out(edge)->out;
	r = receipt_new(p->uses.receipts);
	m->channel = batch_copy(b, span_str(PROBE_CHANNEL));
	m->publication =
		fanout_publication(b, 0, p->body, false, &(struct message_tags){.n = 0});
	m->ticket = receipt_ticket(r);
	receipt_expect(r, edge);
	receipt_await(r, on_end, t);
}

static void on_end(void *arg, uint32_t edges, uint32_t connections)
{
	struct target *t = arg;

	(void)edges;
	t->is_under_way = false;
	if (t->edge == NULL)
		target_free(t);
	else if (connections > 0)
		arrive(t);
	else
		miss(t);
}

static void tick(void *arg)
{
	struct probes *p = arg;
	struct target *t;

	interest_each(p->uses.interest, span_str(PROBE_CHANNEL), send_one, p);
	LIST_FOREACH (t, &p->targets, next) {
		if (t->edge != NULL && !t->is_under_way && !t->is_new)
			miss(t);
		t->is_new = false;
	}
}

const char *probes_missing(struct probes *p)
{
	const struct target *t;

	LIST_FOREACH (t, &p->targets, next) {
		if (t->edge == NULL || t->missed < MISSES)
			continue;
		snprintf(p->text, sizeof p->text, "delivery to %s does not work",
			 name_of(t));
		return p->text;
	}
	return NULL;
}
