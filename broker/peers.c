#include "broker/peers_room.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/commands.h"
#include "broker/lane.h"
#include "broker/roster.h"
#include "proto/envelope.h"

#include <errno.h>
#include <stdlib.h>

enum { TICK_MS = 100 };

static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void take(struct peer *p, const Gatepost__Item *i);
static struct peer *on_hello(struct peers *ps, struct span from,
			     const Gatepost__Envelope *e);
static void tick(void *arg);

struct peers *peers_new(struct broker *b, void *zctx)
{
	struct peers *ps = xcalloc(1, sizeof *ps);

	ps->broker = b;
	ps->by_route = map_new();
	LIST_INIT(&ps->asking);
	arena_init(&ps->arena);
	ps->z = zsock_new(b->loop, zctx, ZMQ_ROUTER, on_message, ps);
	if (b->conf.silence_ms > ZSOCK_SILENCE_MS)
		zsock_silence(ps->z, (int)b->conf.silence_ms);
	if (zsock_bind(ps->z, b->conf.bind) != OK) {
		log_error("bind.failed", S("bind", b->conf.bind),
			  S("why", zmq_strerror(errno)),
			  S("do",
			    "give --bind another endpoint, such as tcp://0.0.0.0:7400"));
		peers_free(ps);
		return NULL;
	}
	ps->ticked_ms = loop_now(b->loop);
	ps->timer = timer_new(b->loop, tick, ps);
	timer_every(ps->timer, TICK_MS);
	return ps;
}

void peers_free(struct peers *ps)
{
	struct peer *p;

	if (ps == NULL)
		return;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		peer_drop(p, "this broker ends");
	peer_lease_abandon(ps);
	timer_free(ps->timer);
	zsock_free(ps->z);
	map_free(ps->by_route);
	arena_close(&ps->arena);
	free(ps);
}

const char *peers_endpoint(const struct peers *ps)
{
	const char *told = ps->broker->conf.advertise;

	return told != NULL ? told : zsock_endpoint(ps->z);
}

struct peer *peers_find(const struct peers *ps, uint16_t number)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->number == number && p->link.state == LINK_UP)
			return p;
	return NULL;
}

int64_t peers_count(const struct peers *ps)
{
	struct peer *p;
	int64_t n = 0;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		n += p->link.state == LINK_UP;
	return n;
}

int64_t peers_connections(const struct peers *ps)
{
	return zsock_peers(ps->z);
}

/* ---- what comes in ---- */

static void take_all(struct peer *p, const Gatepost__Envelope *e)
{
	link_heard(&p->link, loop_now(p->peers->broker->loop));
	for (size_t i = 0; i < e->n_items && !p->is_gone; i++)
		take(p, e->items[i]);
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	struct peers *ps = arg;
	Gatepost__Envelope *e = NULL;
	struct peer *p;
	enum err err;

	peers_look_at_clock(ps);
	p = map_find(ps->by_route, from);
	err = envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)), &ps->arena,
			    &e);
	if (err == OK && p != NULL)
		err = peer_credit(p, e);
	if (err == ERR_DENIED) {
		log_error("link.version", I("theirs", e->version),
			  I("ours", LINK_VERSION),
			  S("do", "run one version of edge and broker"));
		peers_refuse(ps, from, "another protocol version");
	} else if (err != OK) {
		log_warn_flood("link.malformed", S("edge", p ? p->link.peer : "?"));
		peers_refuse(ps, from, ENVELOPE_UNREADABLE);
	} else if (p == NULL) {
		p = on_hello(ps, from, e);
	}
	if (p != NULL) {
		peer_ref(p); /* what it says may be its end */
		if (err != OK)
			peer_drop(p, "it broke the protocol");
		else
			take_all(p, e);
		peer_unref(p);
	}
	arena_reset(&ps->arena);
}

/* An edge that was given another number than ours for it links anew, and all is well again. */
static void take_event(struct peer *p, const Gatepost__Event *e)
{
	struct broker *b = p->peers->broker;
	struct id id;

	if (id_from(span_from(e->id), &id) == OK && id_edge(&id) == p->number) {
		lane_take(b->lanes, call_new(b, p, e));
		return;
	}
	peers_refuse(p->peers, peer_route(p), "that connection is another edge's");
	peer_drop(p, "it speaks for another edge");
}

/* All that an edge can say. */
static void take(struct peer *p, const Gatepost__Item *i)
{
	struct broker *b = p->peers->broker;

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
			roster_take(b->rosters, p, i->roster);
		return;
	case GATEPOST__ITEM__BODY_LEAVING: p->is_leaving = true; return;
	default:
		peers_refuse(p->peers, peer_route(p), "only a broker says that");
		peer_drop(p, "it says what only a broker says");
	}
}

/* A second life of the edge, or of its link, ends the first. */
static void drop_older(struct peers *ps, uint64_t boot)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->boot == boot)
			peer_drop(p, "it links anew");
}

static struct peer *on_hello(struct peers *ps, struct span from,
			     const Gatepost__Envelope *e)
{
	const Gatepost__Hello *h;
	struct peer *p;

	if (e->n_items == 0 || e->items[0]->body_case != GATEPOST__ITEM__BODY_HELLO) {
		/* It outlived a broker of this endpoint. */
		log_info_flood("link.refused", S("why", "no Hello came before"));
		peers_refuse(ps, from, "say Hello first");
		return NULL;
	}
	h = e->items[0]->hello;
	drop_older(ps, h->boot);
	p = peer_new(ps, from, h);
	peer_lease_take(p, p->number);
	return p;
}

void peers_refuse(struct peers *ps, struct span to, const char *why)
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

void peers_look_at_clock(struct peers *ps)
{
	struct broker *b = ps->broker;
	/* By the clock itself: the loop's time stands still within a turn. */
	int64_t late = clock_ms() - ps->ticked_ms;
	struct peer *p;

	if (late <= b->conf.lease_ms / 4)
		return;
	log_warn("broker.stopped", I("ms", late),
		 S("why", "this process did not run: its edges link anew"));
	ps->ticked_ms += late;
	ps->stopped_ms = ps->ticked_ms;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		peer_drop(p, "this broker was stopped");
}

bool peers_were_stopped(struct peers *ps, int64_t since_ms)
{
	peers_look_at_clock(ps);
	return ps->stopped_ms >= since_ms;
}

/* Edges that look for a broker with the store need not ask this one while it has none. */
static void look_at_store(struct peers *ps)
{
	bool away = !store_is_up(ps->broker->store);
	struct peer *p;

	if (away == ps->store_is_away)
		return;
	ps->store_is_away = away;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			peer_tell_store(p);
}

static void tick(void *arg)
{
	struct peers *ps = arg;
	int64_t now = loop_now(ps->broker->loop);
	struct peer *p;

	peers_look_at_clock(ps);
	ps->ticked_ms = now;
	look_at_store(ps);
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;) {
		if (link_is_silent(&p->link, now))
			peer_drop(p, "silence");
		else
			peer_lease_tick(p, now);
	}
}

/* ---- what all are told ---- */

void peers_tell_members(struct peers *ps)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			peer_tell_members(p);
}

void peers_leave(struct peers *ps)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			peer_tell_leaving(p);
}

void peers_renew(struct peers *ps)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		p->lease_ms = 0; /* the next tick finds it due */
}

void peers_flush(void *arg)
{
	struct peers *ps = arg;
	int64_t now = loop_now(ps->broker->loop);
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		switch ((int)link_flush(&p->link, now)) {
		case OK: break;
		case ERR_DOWN: peer_drop(p, "its end is closed"); break;
		default:
			metric_add(ps->broker->counts.links_full, 1);
			peer_drop(p, "it takes nothing");
		}
}
