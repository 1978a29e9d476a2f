#include "broker/edges_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/commands.h"
#include "broker/lane.h"
#include "broker/resync.h"
#include "proto/envelope.h"

#include <errno.h>
#include <stdlib.h>

enum { TICK_MS = 100 };

static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void take(struct edge_link *p, const Gatepost__Item *i);
static struct edge_link *on_hello(struct edges *ps, struct span from,
				  const Gatepost__Envelope *e);
static void tick(void *arg);

struct edges *edges_new(struct broker *b, void *zctx)
{
	struct edges *ps = xcalloc(1, sizeof *ps);

	ps->broker = b;
	ps->by_route = map_new();
	LIST_INIT(&ps->asking);
	arena_init(&ps->arena);
	ps->z = zsock_new(b->loop, zctx, ZMQ_ROUTER, on_message, ps);
	if (zsock_bind(ps->z, b->conf.bind) != OK) {
		log_error("bind.failed", S("bind", b->conf.bind),
			  S("why", zmq_strerror(errno)),
			  S("do",
			    "give --bind another endpoint, such as tcp://0.0.0.0:7400"));
		edges_free(ps);
		return NULL;
	}
	ps->ticked_ms = loop_now(b->loop);
	ps->timer = timer_new(b->loop, tick, ps);
	timer_every(ps->timer, TICK_MS);
	return ps;
}

void edges_free(struct edges *ps)
{
	struct edge_link *p;

	if (ps == NULL)
		return;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		edge_link_drop(p, "this broker ends");
	edge_lease_abandon(ps);
	timer_free(ps->timer);
	zsock_free(ps->z);
	map_free(ps->by_route);
	arena_close(&ps->arena);
	free(ps);
}

const char *edges_endpoint(const struct edges *ps)
{
	const char *told = ps->broker->conf.advertise;

	return told != NULL ? told : zsock_endpoint(ps->z);
}

struct edge_link *edges_find(const struct edges *ps, uint16_t number)
{
	struct edge_link *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->number == number && p->link.state == LINK_UP)
			return p;
	return NULL;
}

int64_t edges_count(const struct edges *ps)
{
	struct edge_link *p;
	int64_t n = 0;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		n += p->link.state == LINK_UP;
	return n;
}

/* ---- what comes in ---- */

static void take_all(struct edge_link *p, const Gatepost__Envelope *e)
{
	link_heard(&p->link, loop_now(p->edges->broker->loop));
	for (size_t i = 0; i < e->n_items && !p->is_gone; i++)
		take(p, e->items[i]);
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	struct edges *ps = arg;
	Gatepost__Envelope *e = NULL;
	struct edge_link *p;
	enum err err;

	edges_look_at_clock(ps);
	p = map_find(ps->by_route, from);
	err = envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)), &ps->arena,
			    &e);
	if (err == OK && p != NULL)
		err = edge_link_credit(p, e);
	if (err == ERR_DENIED) {
		log_error("link.version", I("theirs", e->version),
			  I("ours", LINK_VERSION),
			  S("do", "run one version of edge and broker"));
		edges_refuse(ps, from, "another protocol version");
	} else if (err != OK) {
		log_warn_flood("link.malformed", S("edge", p ? p->link.peer : "?"));
		edges_refuse(ps, from, "that was no envelope");
	} else if (p == NULL) {
		p = on_hello(ps, from, e);
	}
	if (p != NULL) {
		edge_link_ref(p); /* what it says may be its end */
		if (err != OK)
			edge_link_drop(p, "it broke the protocol");
		else
			take_all(p, e);
		edge_link_unref(p);
	}
	arena_reset(&ps->arena);
}

/* An edge that was given another number than ours for it links anew, and all is well again. */
static void take_event(struct edge_link *p, const Gatepost__Event *e)
{
	struct broker *b = p->edges->broker;
	struct id id;

	if (id_from(span_from(e->id), &id) == OK && id_edge(&id) == p->number) {
		lane_take(b->lanes, call_new(b, p, e));
		return;
	}
	edges_refuse(p->edges, edge_link_route(p), "that connection is another edge's");
	edge_link_drop(p, "it speaks for another edge");
}

/* All that an edge can say. */
static void take(struct edge_link *p, const Gatepost__Item *i)
{
	struct broker *b = p->edges->broker;

	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_HELLO: return; /* on_hello has seen it */
	case GATEPOST__ITEM__BODY_EVENT:
		if (p->link.state == LINK_UP)
			take_event(p, i->event);
		return;
	case GATEPOST__ITEM__BODY_OUTCOME:
		commands_outcome(b->commands, p, i->outcome);
		return;
	case GATEPOST__ITEM__BODY_ROSTER:
		/* Before it is up, its number is no more than what it says. */
		if (p->link.state == LINK_UP)
			resync_receive(b->resync, p, i->roster);
		return;
	case GATEPOST__ITEM__BODY_LEAVING: p->is_leaving = true; return;
	default:
		edges_refuse(p->edges, edge_link_route(p), "only a broker says that");
		edge_link_drop(p, "it says what only a broker says");
	}
}

/* A second life of the edge, or of its link, ends the first. */
static void drop_older(struct edges *ps, uint64_t boot)
{
	struct edge_link *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->boot == boot)
			edge_link_drop(p, "it links anew");
}

static struct edge_link *on_hello(struct edges *ps, struct span from,
				  const Gatepost__Envelope *e)
{
	const Gatepost__Hello *h;
	struct edge_link *p;

	if (e->n_items == 0 || e->items[0]->body_case != GATEPOST__ITEM__BODY_HELLO) {
		/* It outlived a broker of this endpoint. */
		edges_refuse(ps, from, "say Hello first");
		return NULL;
	}
	h = e->items[0]->hello;
	drop_older(ps, h->boot);
	p = edge_link_new(ps, from, h);
	edge_lease_take(p, p->number);
	return p;
}

void edges_refuse(struct edges *ps, struct span to, const char *why)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	struct batch b;
	zmq_msg_t m;
	Gatepost__Refusal *r;

	batch_init(&b);
	r = batch_add(&b, GATEPOST__ITEM__BODY_REFUSAL, &gatepost__refusal__descriptor);
	r->version = LINK_VERSION;
	r->reason = (char *)(uintptr_t)why;
	head.version = LINK_VERSION;
	batch_pack(&b, &head, &m);
	batch_close(&b);
	(void)zsock_send(ps->z, to, &m); /* who has gone needs no answer */
}

/* ---- time ---- */

void edges_look_at_clock(struct edges *ps)
{
	struct broker *b = ps->broker;
	/* By the clock itself: the loop's time stands still within a turn. */
	int64_t late = clock_ms() - ps->ticked_ms;
	struct edge_link *p;

	if (late <= b->conf.lease_ms / 4)
		return;
	log_warn("broker.stopped", I("ms", late),
		 S("why", "this process did not run: its edges link anew"));
	ps->ticked_ms += late;
	ps->stopped_ms = ps->ticked_ms;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		edge_link_drop(p, "this broker was stopped");
}

bool edges_were_stopped(struct edges *ps, int64_t since_ms)
{
	edges_look_at_clock(ps);
	return ps->stopped_ms >= since_ms;
}

/* Edges that look for a broker with the store need not ask this one while it has none. */
static void look_at_store(struct edges *ps)
{
	bool away = !store_is_up(ps->broker->store);
	struct edge_link *p;

	if (away == ps->store_is_away)
		return;
	ps->store_is_away = away;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			edge_link_tell_store(p);
}

static void tick(void *arg)
{
	struct edges *ps = arg;
	int64_t now = loop_now(ps->broker->loop);
	struct edge_link *p;

	edges_look_at_clock(ps);
	ps->ticked_ms = now;
	look_at_store(ps);
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;) {
		if (link_is_silent(&p->link, now))
			edge_link_drop(p, "silence");
		else
			edge_lease_tick(p, now);
	}
}

/* ---- what all are told ---- */

void edges_tell_members(struct edges *ps)
{
	struct edge_link *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			edge_link_tell_members(p);
}

void edges_leave(struct edges *ps)
{
	struct edge_link *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			edge_link_tell_leaving(p);
}

void edges_renew(struct edges *ps)
{
	struct edge_link *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		p->lease_ms = 0; /* the next tick finds it due */
}

void edges_flush(void *arg)
{
	struct edges *ps = arg;
	int64_t now = loop_now(ps->broker->loop);
	struct edge_link *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		switch ((int)link_flush(&p->link, now)) {
		case OK: break;
		case ERR_DOWN: edge_link_drop(p, "its end is closed"); break;
		default:
			metric_add(ps->broker->counts.links_full, 1);
			edge_link_drop(p, "it takes nothing");
		}
}
