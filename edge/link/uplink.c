/*
 * Events go up:  append → pump → send_one; lane.c keeps each until it is answered.
 * The brokers themselves come and go in broker_link.c.
 */
#include "edge/link/uplink.h"

#include "base/clock.h"
#include "base/mem.h"
#include "edge/link/resync.h"
#include "edge/link/uplink_internal.h"
#include "proto/envelope.h"

#include <stdlib.h>

enum { TICK_MS = 100 };

/* Disconnects under way at one broker: when thousands vanish, the credit stays for who is here. */
enum { DEPARTING_MOST = 512 };

/*
 * Of a broker's credit, one in so many is kept for small events of lanes that have nothing under
 * way there: connects, requests, and the messages of clients that do not pipeline.
 */
enum { RESERVE = 4, SMALL_EVENT = 16 * 1024 };

/*
 * What an event takes in a broker beside its bytes: a call, its lane and their places in maps.
 * A head is there as it came, and twice in the event that a function gets: headers, multiValueHeaders.
 */
enum { EVENT_COSTS = 512, HEAD_COSTS = 3 };

static void send_one(struct lane *l);

struct uplink *uplink_new(struct edge *edge, void *zctx)
{
	struct uplink *u = xcalloc(1, sizeof *u);

	u->edge = edge;
	u->zctx = zctx;
	u->ring = ring_new();
	u->stored = ring_new();
	lane_queue_init(&u->orphans);
	lane_queue_init(&u->retrying);
	lane_queue_init(&u->accused);
	arena_init(&u->arena);
	u->seeds = seeds_new(edge->loop, edge->conf.brokers, edge->conf.resolve_ms,
			     brokers_named, u);
	if (u->seeds == NULL) {
		uplink_free(u);
		return NULL;
	}
	u->timer = timer_new(edge->loop, brokers_tick, u);
	timer_every(u->timer, TICK_MS);
	brokers_tick(u);
	return u;
}

void uplink_free(struct uplink *u)
{
	if (u == NULL)
		return;
	seeds_free(u->seeds);
	timer_free(u->timer);
	brokers_free(u);
	ring_free(u->ring);
	ring_free(u->stored);
	arena_close(&u->arena);
	free(u);
}

/* ---- events go up ---- */

static struct lane_event *append(struct uplink *u, struct connection *c, uint8_t kind,
				 struct blob *request, struct blob *body)
{
	struct lane_event *e =
		lane_append(&c->lane, kind, clock_wall_ms(), request, body);

	e->rosters = u->edge->rosters;
	u->edge->held_bytes += e->memory;
	metric_add(u->edge->counts.events, 1);
	return e;
}

/* As far as credit goes; then look whether the client must be held back. */
static void go(struct uplink *u, struct connection *c)
{
	uplink_pump(u, &c->lane);
	connection_settle(c);
}

void uplink_request(struct uplink *u, struct connection *c, uint8_t kind,
		    struct blob *request, struct blob *body)
{
	append(u, c, kind, request, body);
	go(u, c);
}

void uplink_message(struct uplink *u, struct connection *c, struct blob *body,
		    bool binary)
{
	append(u, c, GATEPOST__EVENT__KIND__MESSAGE, NULL, body)->binary = binary;
	go(u, c);
}

void uplink_disconnect(struct uplink *u, struct connection *c, uint16_t code,
		       struct span reason)
{
	append(u, c, GATEPOST__EVENT__KIND__DISCONNECT, NULL, blob_new(reason))->code =
		code;
	go(u, c);
}

/* CONNECT and DISCONNECT change the table; all else goes without the store. */
static bool needs_store(const struct lane_event *e)
{
	return e != NULL && (e->kind == GATEPOST__EVENT__KIND__CONNECT ||
			     e->kind == GATEPOST__EVENT__KIND__DISCONNECT);
}

/* Of the brokers that have the store, if there are any; after a detour, another one. */
static struct broker *home_with_store(const struct uplink *u, const struct lane *l,
				      uint64_t hash)
{
	const struct ring *ring = ring_size(u->stored) > 0 ? u->stored : u->ring;

	return ring_pick(ring, hash + l->detours);
}

/*
 * A lane moves to its right home when nothing of it is under way at the old one. An event
 * that needs the store may make a detour; what comes after it finds the lane's home again.
 */
static void settle_home(struct uplink *u, struct lane *l)
{
	bool store = needs_store(l->unsent);
	struct broker *right, *home;
	uint64_t hash;

	if (l->home != NULL && l->ring_version == ring_version(u->ring) &&
	    !(store && l->home->lacks_store))
		return;
	hash = id_hash(&connection_of(l)->id);
	right = ring_pick(u->ring, hash);
	home = store ? home_with_store(u, l, hash) : right;
	if (home != l->home)
		lane_restart(l, home, ring_version(u->ring));
	l->ring_version = home == right ? ring_version(u->ring) : 0;
}

static bool is_departing(const struct lane_event *e)
{
	return e->kind == GATEPOST__EVENT__KIND__DISCONNECT;
}

static size_t head_bytes(struct lane *l, const struct lane_event *e)
{
	return connection_of(l)->context->n + (e->request ? e->request->n : 0);
}

static size_t body_bytes(const struct lane_event *e)
{
	return e->body ? e->body->n : 0;
}

/* What the event needs of the credit: all that goes with it, and what it costs besides. */
static uint32_t credit_for(struct lane *l, const struct lane_event *e)
{
	return (uint32_t)(EVENT_COSTS + body_bytes(e) + HEAD_COSTS * head_bytes(l, e));
}

/* May the lane's next event use what is kept in reserve? n: those under way. */
static bool is_modest(struct lane *l, uint32_t n)
{
	const struct lane_event *e = l->unsent;

	return n == 0 && !is_departing(e) &&
	       body_bytes(e) + head_bytes(l, e) <= SMALL_EVENT;
}

static bool is_beside_reserve(const struct window *w)
{
	return w->used_items < w->items - w->items / RESERVE &&
	       w->used_bytes < w->bytes - w->bytes / RESERVE;
}

static bool has_credit(struct lane *l, uint32_t n)
{
	const struct broker *b = l->home;

	return window_has_room(&b->link.ahead) &&
	       (!poison_is_accused(l->unsent) || b->uplink->on_trial == NULL) &&
	       (is_beside_reserve(&b->link.ahead) || is_modest(l, n)) &&
	       (!is_departing(l->unsent) || b->n_departing < DEPARTING_MOST);
}

static struct lane_queue *queue_for(struct uplink *u, struct lane *l, uint32_t n)
{
	if (l->home == NULL)
		return &u->orphans;
	if (poison_is_accused(l->unsent))
		return &u->accused;
	if (is_departing(l->unsent))
		return &l->home->departing;
	return is_modest(l, n) ? &l->home->waiting : &l->home->greedy;
}

/* So it is mostly, and then it need not be known which queue would be the lane's. */
static bool nobody_waits(const struct uplink *u, const struct broker *b)
{
	return TAILQ_EMPTY(&b->waiting.lanes) && TAILQ_EMPTY(&b->greedy.lanes) &&
	       TAILQ_EMPTY(&b->departing.lanes) && TAILQ_EMPTY(&u->accused.lanes);
}

/* Those who came before it have their turns before it. */
static bool may_send(struct uplink *u, struct lane *l, uint32_t n, bool is_its_turn)
{
	return n < u->edge->conf.lane_in_flight && has_credit(l, n) &&
	       (is_its_turn || nobody_waits(u, l->home) ||
		TAILQ_EMPTY(&queue_for(u, l, n)->lanes));
}

/* is_its_turn: it has come to the head of its queue. */
static void pump(struct uplink *u, struct lane *l, bool is_its_turn)
{
	uint32_t n;

	if (l->waits_in == &u->retrying)
		return;
	if (lane_is_quiet(l))
		settle_home(u, l);
	n = lane_under_way(l);
	for (; l->unsent != NULL && l->home != NULL; n++) {
		if (!may_send(u, l, n, is_its_turn))
			break;
		send_one(l);
		is_its_turn = false;
	}
	if (l->unsent == NULL || (l->home != NULL && n >= u->edge->conf.lane_in_flight)) {
		lane_unwait(
			l); /* in the second case an answer is due, and then uplink_next */
		return;
	}
	if (l->waits_in == NULL)
		metric_add(u->edge->counts.out_of_credit, 1);
	lane_wait(l, queue_for(u, l, n));
}

void uplink_pump(struct uplink *u, struct lane *l)
{
	pump(u, l, false);
}

void uplink_next(struct uplink *u, struct connection *c)
{
	if (c->lane.unsent != NULL)
		pump(u, &c->lane, false);
}

static void send_one(struct lane *l)
{
	struct connection *c = connection_of(l);
	struct link *link = &l->home->link;
	struct lane_event *e = l->unsent;
	Gatepost__Event *m =
		link_add(link, GATEPOST__ITEM__BODY_EVENT, &gatepost__event__descriptor);

	m->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = c->id.b};
	m->term = l->term;
	m->seq = e->seq;
	m->kind = (Gatepost__Event__Kind)e->kind;
	m->time_ms = e->time_ms;
	m->context = batch_hold(&link->out, c->context);
	m->request = batch_hold(&link->out, e->request);
	if (e->kind == GATEPOST__EVENT__KIND__DISCONNECT)
		m->reason = batch_hold(&link->out, e->body);
	else
		m->body = batch_hold(&link->out, e->body);
	m->binary = e->binary;
	m->code = e->code;
	m->again = e->was_sent ? EVENT_AGAIN : EVENT_FIRST;
	if (poison_is_accused(e)) {
		m->again = EVENT_ACCUSED;
		l->home->uplink->on_trial = e;
	}
	e->was_sent = true;
	e->sent_ms = loop_now(c->edge->loop);
	e->credit = credit_for(l, e);
	window_take(&link->ahead, e->credit);
	l->home->n_departing += is_departing(e);
	l->unsent = e->next;
}

void uplink_credit(struct broker *from, const struct lane_event *e)
{
	window_give(&from->link.ahead, 1, e->credit);
	if (from->uplink->on_trial == e)
		from->uplink->on_trial = NULL;
	if (is_departing(e) && from->n_departing > 0)
		from->n_departing--;
}

void uplink_pause(struct uplink *u, struct lane *l)
{
	if (l->waits_in == &u->retrying)
		return; /* its place is by its time */
	l->retry_ms = loop_now(u->edge->loop) + u->edge->conf.retry_ms;
	lane_wait(l, &u->retrying);
}

void uplink_retry(struct uplink *u, struct connection *c, struct lane_event *e)
{
	c->lane.unsent = e;
	uplink_pause(u, &c->lane);
	metric_add(u->edge->counts.resent, 1);
}

void uplink_retry_due(struct uplink *u, int64_t now)
{
	struct lane *l;

	while ((l = TAILQ_FIRST(&u->retrying.lanes)) != NULL && l->retry_ms <= now) {
		lane_unwait(l);
		l->detours++; /* its home could not do it: another one is asked */
		l->ring_version = 0;
		uplink_pump(u, l);
	}
}

/* Those without luck come to its end again. */
void uplink_pump_orphans(struct uplink *u)
{
	struct lane_queue *q = &u->orphans;
	size_t n = 0;
	struct lane *l;

	TAILQ_FOREACH(l, &q->lanes, waiting)
	n++;
	while (n-- > 0 && (l = TAILQ_FIRST(&q->lanes)) != NULL) {
		lane_unwait(l);
		uplink_pump(u, l);
		connection_settle(connection_of(l));
	}
}

/* The first of the queue, if it may go. */
static struct lane *next_of(const struct lane_queue *q)
{
	struct lane *l = TAILQ_FIRST(&q->lanes);

	return l != NULL && has_credit(l, lane_under_way(l)) ? l : NULL;
}

/* Who has something to say before who says more at a time, and both before who has left. */
static struct lane *next_waiting(const struct broker *b)
{
	struct lane *l = next_of(&b->waiting);

	if (l == NULL)
		l = next_of(&b->greedy);
	return l != NULL ? l : next_of(&b->departing);
}

static void pump_waiting(struct broker *b)
{
	struct lane *l;

	while ((l = next_waiting(b)) != NULL) {
		lane_unwait(l);
		pump(b->uplink, l, true);
		connection_settle(connection_of(l));
	}
}

/* The next of those that are tried alone. */
static void pump_accused(struct uplink *u)
{
	struct lane *l = next_of(&u->accused);

	if (l == NULL)
		return;
	lane_unwait(l);
	pump(u, l, true);
	connection_settle(connection_of(l));
}

static void flush(struct broker *b, int64_t now)
{
	enum err e = link_flush(&b->link, now);

	if (e == OK)
		return;
	metric_add(b->uplink->edge->counts.link_full, e == ERR_BUSY);
	broker_lost(b, "peer does not read", LINK_ENDED_BY_US);
}

void uplink_flush(void *arg)
{
	struct uplink *u = arg;
	int64_t now = loop_now(u->edge->loop);

	pump_accused(u);
	for (struct broker *b = u->brokers; b != NULL; b = b->next) {
		if (b->z == NULL)
			continue;
		pump_waiting(b);
		flush(b, now);
	}
}

void uplink_outcome(struct broker *from, const Gatepost__Outcome *o)
{
	Gatepost__Outcome *m = link_add(&from->link, GATEPOST__ITEM__BODY_OUTCOME,
					&gatepost__outcome__descriptor);

	m->ticket = o->ticket;
	m->result = o->result;
	m->last_active_ms = o->last_active_ms;
	m->context = batch_copy(&from->link.out, span_from(o->context));
	m->results = batch_copy(&from->link.out, span_from(o->results));
}

void uplink_roster(struct broker *to, struct connection *c)
{
	roster_tell_one(c, &to->link);
}

void uplink_leave(struct uplink *u)
{
	for (struct broker *b = u->brokers; b != NULL; b = b->next)
		if (b->z != NULL && b->link.state == LINK_UP)
			link_add(&b->link, GATEPOST__ITEM__BODY_LEAVING,
				 &gatepost__leaving__descriptor);
}

const char *uplink_missing(const struct uplink *u)
{
	return ring_size(u->ring) > 0 ? NULL : "no broker is linked";
}

int64_t uplink_brokers(const struct uplink *u)
{
	return (int64_t)ring_size(u->ring);
}
