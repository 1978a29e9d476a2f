#include "broker/peers.h"

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "broker/commands.h"
#include "broker/lane.h"
#include "broker/membership.h"
#include "broker/roster.h"
#include "proto/envelope.h"
#include "store/leases.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { TICK_MS = 100, ASK_AGAIN_MS = 500 };

struct peer {
	struct link link; /* link.to is the key of by_route */
	struct peers *peers;
	unsigned refs;
	bool is_gone;    /* no link any more; those who still hold a reference see that */
	bool is_leaving; /* it ends: its number is not kept for it */
	bool is_asking; /* the store is being asked about the lease, and holds a reference */
	LIST_ENTRY(peer) asking; /* while that is so */
	uint64_t boot;
	char boot_text[17];
	uint16_t number; /* 0 until the lease is there */
	char cluster
		[40]; /* the store's memory when it said that it has no number, and so no rows; empty: it had one */
	int64_t lease_ms; /* when it was taken or renewed, or is to be asked for again */
	uint64_t sent_items, sent_bytes; /* commands */
};

LIST_HEAD(peer_list, peer);

struct peers {
	struct broker *broker;
	struct zsock *z;
	struct timer *timer;
	struct map *by_route;
	struct peer_list asking;
	int64_t ticked_ms;
	int64_t stopped_ms; /* when it was seen last that this process had been stopped */
	struct arena arena; /* of the envelope being read */
};

static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void take(struct peer *p, const Gatepost__Item *i);
static struct peer *on_hello(struct peers *ps, struct span from,
			     const Gatepost__Envelope *e);
static void ask_number(struct peer *p, uint16_t wanted);
static void on_number(void *arg, enum err e, uint16_t number);
static void heard_of_lease(struct peer *p);
static void welcome(struct peer *p);
static void refuse(struct peers *ps, struct span to, const char *why);
static void tick(void *arg);
static void look_at_clock(struct peers *ps);
static void drop(struct peer *p, const char *why);

struct peers *peers_new(struct broker *b, void *zctx)
{
	struct peers *ps = xcalloc(1, sizeof *ps);

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
		drop(p, "this broker ends");
	while ((p = LIST_FIRST(&ps->asking)) != NULL) {
		heard_of_lease(p); /* the store ends with us, and will not say it */
		peer_unref(p);
	}
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

struct link *peer_link(struct peer *p)
{
	return p->is_gone ? NULL : &p->link;
}

bool peer_is_live(struct peer *p)
{
	look_at_clock(p->peers);
	return !p->is_gone;
}

uint16_t peer_number(const struct peer *p)
{
	return p->number;
}

const char *peer_boot(const struct peer *p)
{
	return p->boot_text;
}

struct peer *peer_ref(struct peer *p)
{
	p->refs++;
	return p;
}

void peer_unref(struct peer *p)
{
	if (--p->refs == 0)
		free(p);
}

/* ---- what comes in ---- */

static struct span key(const struct peer *p)
{
	return span_of(p->link.to, p->link.to_n);
}

/* The edge tells what it has taken of our commands: so much credit is back. */
static enum err credit(struct peer *p, const Gatepost__Envelope *e)
{
	if (e->taken_items > p->sent_items || e->taken_bytes > p->sent_bytes)
		return ERR_MALFORMED;
	p->link.ahead.used_items = p->sent_items - e->taken_items;
	p->link.ahead.used_bytes = p->sent_bytes - e->taken_bytes;
	return OK;
}

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

	look_at_clock(ps);
	p = map_find(ps->by_route, from);
	err = envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)), &ps->arena,
			    &e);
	if (err == OK && p != NULL)
		err = credit(p, e);
	if (err == ERR_DENIED) {
		log_error("link.version", I("theirs", e->version),
			  I("ours", LINK_VERSION),
			  S("do", "run one version of edge and broker"));
		refuse(ps, from, "another protocol version");
	} else if (err != OK) {
		log_warn_flood("link.malformed", S("edge", p ? p->link.peer : "?"));
		refuse(ps, from, "that was no envelope");
	} else if (p == NULL) {
		p = on_hello(ps, from, e);
	}
	if (p != NULL) {
		peer_ref(p); /* what it says may be its end */
		if (err != OK)
			drop(p, "it broke the protocol");
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
	refuse(p->peers, key(p), "that connection is another edge's");
	drop(p, "it speaks for another edge");
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
		refuse(p->peers, key(p), "only a broker says that");
		drop(p, "it says what only a broker says");
	}
}

/* ---- from Hello to Welcome ---- */

/* A second life of the edge, or of its link, ends the first. */
static void drop_older(struct peers *ps, uint64_t boot)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->boot == boot)
			drop(p, "it links anew");
}

static struct peer *on_hello(struct peers *ps, struct span from,
			     const Gatepost__Envelope *e)
{
	const struct broker_conf *conf = &ps->broker->conf;
	struct link_timing timing = {conf->heartbeat_ms, conf->silence_ms};
	const Gatepost__Hello *h;
	struct peer *p;

	if (e->n_items == 0 || e->items[0]->body_case != GATEPOST__ITEM__BODY_HELLO) {
		refuse(ps, from,
		       "say Hello first"); /* it outlived a broker of this endpoint */
		return NULL;
	}
	h = e->items[0]->hello;
	drop_older(ps, h->boot);
	p = xcalloc(1, sizeof *p);
	link_init(&p->link, ps->z, from, timing, loop_now(ps->broker->loop));
	p->peers = ps;
	p->refs = 1;
	p->boot = h->boot;
	snprintf(p->boot_text, sizeof p->boot_text, "%016llx",
		 (unsigned long long)h->boot);
	snprintf(p->link.peer, sizeof p->link.peer, "%s", h->name);
	p->link.ahead =
		(struct window){.items = h->credit_items, .bytes = h->credit_bytes};
	link_enter(&p->link, LINK_GREETING);
	map_put(ps->by_route, key(p), p);
	p->number = (uint16_t)h->number;
	if (h->number == 0)
		snprintf(p->cluster, sizeof p->cluster, "%s",
			 membership_cluster(ps->broker->membership));
	ask_number(p, p->number);
	return p;
}

/* For a question to the store: whoever gets its answer gives the reference back. */
static struct peer *asking(struct peer *p)
{
	p->is_asking = true;
	LIST_INSERT_HEAD(&p->peers->asking, p, asking);
	return peer_ref(p);
}

static void heard_of_lease(struct peer *p)
{
	p->is_asking = false;
	LIST_REMOVE(p, asking);
}

static void ask_number(struct peer *p, uint16_t wanted)
{
	struct broker *b = p->peers->broker;

	store_lease_take(b->store, p->boot_text, wanted, b->conf.lease_ms, on_number,
			 asking(p));
}

/* If it is not noted, the edge is asked for rows that it has not got yet. */
static void on_noted(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

/* A new edge: whatever rows it will have are in this memory. */
static void note_new(struct peer *p)
{
	if (p->cluster[0] != '\0')
		store_edge_synced(p->peers->broker->store, p->number, p->cluster,
				  on_noted, NULL);
	p->cluster[0] = '\0';
}

static void on_number(void *arg, enum err e, uint16_t number)
{
	struct peer *p = arg;
	uint16_t had = p->number;

	heard_of_lease(p);
	p->lease_ms = loop_now(p->peers->broker->loop);
	if (p->is_gone) {
		peer_unref(p);
		return;
	}
	if (e == OK) {
		p->number = number;
		note_new(p);
	} else if (e == ERR_DENIED) {
		p->number = 0; /* what it had is another's by now */
	}
	if (p->number != 0 && (e == OK || had != 0)) {
		welcome(p); /* also when the store is away: the edge has served on this number */
	} else if (e == ERR_DENIED) {
		ask_number(p, 0);
	} else if (e == ERR_NOTFOUND) {
		log_error("edge.numbers.none", S("edge", p->link.peer),
			  S("why", "all 65535 numbers are taken"));
	}
	peer_unref(p);
}

static void add_members(struct link *l, Gatepost__Members *m, const struct membership *ms)
{
	size_t n;
	const struct membership_row *rows = membership_rows(ms, &n);

	m->members = arena_alloc(&l->out.arena, n * sizeof *m->members);
	m->n_members = n;
	for (size_t i = 0; i < n; i++) {
		Gatepost__Members__Member *r = arena_alloc(&l->out.arena, sizeof *r);

		gatepost__members__member__init(r);
		r->name = (char *)(uintptr_t)arena_copy(
				  &l->out.arena,
				  span_of(rows[i].name, strlen(rows[i].name) + 1))
				  .p;
		r->endpoint =
			(char *)(uintptr_t)arena_copy(
				&l->out.arena,
				span_of(rows[i].endpoint, strlen(rows[i].endpoint) + 1))
				.p;
		r->boot = rows[i].boot;
		m->members[i] = r;
	}
}

static void welcome(struct peer *p)
{
	struct broker *b = p->peers->broker;
	struct link *l = &p->link;
	Gatepost__Welcome *w =
		link_add(l, GATEPOST__ITEM__BODY_WELCOME, &gatepost__welcome__descriptor);

	w->name = (char *)(uintptr_t)b->conf.name;
	w->boot = b->boot;
	w->number = p->number;
	w->credit_events = (uint64_t)b->conf.credit_events;
	w->credit_bytes = (uint64_t)b->conf.credit_bytes;
	w->members = arena_alloc(&l->out.arena, sizeof *w->members);
	gatepost__members__init(w->members);
	add_members(l, w->members, b->membership);
	link_enter(l, LINK_UP);
	log_info("link.up", S("edge", l->peer), I("number", p->number));
	if (b->draining)
		link_add(l, GATEPOST__ITEM__BODY_LEAVING, &gatepost__leaving__descriptor);
}

/* No link, and why: also to those who have none. */
static void refuse(struct peers *ps, struct span to, const char *why)
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

/* ---- leases and silence ---- */

static void on_renewed(void *arg, enum err e)
{
	struct peer *p = arg;

	heard_of_lease(p);
	if (e == OK)
		p->lease_ms = loop_now(p->peers->broker->loop);
	if (!p->is_gone && (e == ERR_NOTFOUND || e == ERR_DENIED)) {
		log_warn("edge.lease.lost", S("edge", p->link.peer),
			 I("number", p->number));
		refuse(p->peers, key(p), "the lease of its number was given up");
		drop(p, "its lease was given up");
	}
	peer_unref(p);
}

static void renew(struct peer *p, int64_t now)
{
	struct broker *b = p->peers->broker;
	int64_t quiet = now - p->link.heard_ms; /* the lease counts from its last word */

	if (p->is_asking || p->is_leaving || quiet >= b->conf.lease_ms)
		return;
	if (p->link.state == LINK_GREETING && now - p->lease_ms >= ASK_AGAIN_MS) {
		ask_number(p, p->number);
	} else if (p->link.state == LINK_UP &&
		   now - p->lease_ms >= b->conf.lease_ms / 4) {
		store_lease_renew(b->store, p->number, p->boot_text,
				  b->conf.lease_ms - quiet, on_renewed, asking(p));
	}
}

/*
 * Were we stopped? Then edges have given their lanes to others, and their leases may have
 * lapsed: nothing that they sent before may be begun now. They link anew.
 */
static void look_at_clock(struct peers *ps)
{
	struct broker *b = ps->broker;
	int64_t late = loop_now(b->loop) - ps->ticked_ms;
	struct peer *p;

	if (late <= b->conf.lease_ms / 4)
		return;
	log_warn("broker.stopped", I("ms", late),
		 S("why", "this process did not run: its edges link anew"));
	ps->ticked_ms += late;
	ps->stopped_ms = ps->ticked_ms;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		drop(p, "this broker was stopped");
}

bool peers_were_stopped(struct peers *ps, int64_t since_ms)
{
	look_at_clock(ps);
	return ps->stopped_ms >= since_ms;
}

static void tick(void *arg)
{
	struct peers *ps = arg;
	int64_t now = loop_now(ps->broker->loop);
	struct peer *p;

	look_at_clock(ps);
	ps->ticked_ms = now;
	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;) {
		if (link_is_silent(&p->link, now))
			drop(p, "silence");
		else
			renew(p, now);
	}
}

static void drop(struct peer *p, const char *why)
{
	struct peers *ps = p->peers;

	if (p->is_gone)
		return;
	if (p->link.state == LINK_UP)
		log_info("link.down", S("edge", p->link.peer), S("why", why));
	map_remove(ps->by_route, key(p));
	link_enter(&p->link, LINK_DOWN);
	link_close(&p->link);
	p->is_gone = true;
	commands_lost(ps->broker->commands, p);
	peer_unref(p);
}

/* ---- what goes out ---- */

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

void peers_tell_members(struct peers *ps)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			add_members(&p->link,
				    link_add(&p->link, GATEPOST__ITEM__BODY_MEMBERS,
					     &gatepost__members__descriptor),
				    ps->broker->membership);
}

void peer_resync(struct peer *p, uint64_t ticket)
{
	Gatepost__Resync *m = link_add(&p->link, GATEPOST__ITEM__BODY_RESYNC,
				       &gatepost__resync__descriptor);

	m->ticket = ticket;
}

void peers_renew(struct peers *ps)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		p->lease_ms = 0; /* the next tick finds it due */
}

void peers_leave(struct peers *ps)
{
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		if (p->link.state == LINK_UP)
			link_add(&p->link, GATEPOST__ITEM__BODY_LEAVING,
				 &gatepost__leaving__descriptor);
}

void peers_flush(void *arg)
{
	struct peers *ps = arg;
	int64_t now = loop_now(ps->broker->loop);
	struct peer *p;

	for (size_t at = 0; (p = map_next(ps->by_route, &at)) != NULL;)
		switch ((int)link_flush(&p->link, now)) {
		case OK: break;
		case ERR_DOWN: drop(p, "its end is closed"); break;
		default: drop(p, "it takes nothing");
		}
}

Gatepost__Command *peer_command(struct peer *p, size_t bytes)
{
	struct link *l = &p->link;

	if (!window_has_room(&l->ahead))
		return NULL;
	window_take(&l->ahead, bytes);
	p->sent_items++;
	p->sent_bytes += bytes;
	return link_add(l, GATEPOST__ITEM__BODY_COMMAND, &gatepost__command__descriptor);
}
