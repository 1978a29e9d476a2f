/*
 * Events to brokers:  append → pump → send_one; lane.c keeps each until it is answered.
 * broker_link.c has the links.
 */
#include "edge/link/uplink.h"

#include "base/clock.h"
#include "base/mem.h"
#include "edge/link/poison.h"
#include "edge/link/uplink_internal.h"
#include "proto/envelope.h"

#include <stdlib.h>

enum { TICK_MS = 100 };

/* Disconnects under way at one broker: when thousands of clients leave, the others keep the credit. */
enum { DISCONNECTING_MOST = 512 };

/*
 * This fraction of a broker's credit is reserved for small events of lanes with nothing under way
 * there: connects, requests, and the messages of clients that do not pipeline.
 */
enum { RESERVE = 4, SMALL_EVENT = 16 * 1024 };

/*
 * The memory of an event in a broker beside its bytes: a call, its lane and their map entries.
 * A head is kept as it arrived, and twice in the function's event: headers, multiValueHeaders.
 */
enum { EVENT_COSTS = 512, HEAD_COSTS = 3 };

static void pump_rest(struct uplink *u, struct lane *l);
static void send_one(struct lane *l);

static int64_t ask_brokers(void *arg)
{
	const struct uplink *u = arg;

	return (int64_t)ring_size(u->ring);
}

static void register_counts(struct uplink *u)
{
	struct metrics *m = u->uses.metrics;

	if (m == NULL)
		return;
	u->counts = (struct uplink_counts){
		.events = metric_counter(m, "gatepost_edge_events_total", NULL,
					 "Events for brokers"),
		.resent = metric_counter(m, "gatepost_edge_events_resent_total", NULL,
					 "Events sent again, since their broker was lost "
					 "or could not handle them"),
		.stale = metric_counter(m, "gatepost_edge_stale_answers_total", NULL,
					"Stale answers, dropped"),
		.poisonous = metric_counter(m, "gatepost_edge_poisonous_total", NULL,
					    "Events not retried, since each link on "
					    "which they were sent failed"),
		.out_of_credit =
			metric_counter(m, "gatepost_edge_credit_waits_total", NULL,
				       "Times that a connection's events had to wait for "
				       "a broker: without credit, or without a link"),
		.link_full = metric_counter(m, "gatepost_edge_links_full_total", NULL,
					    "Links closed since ZeroMQ's queue was full"),
	};
	metric_asked_gauge(m, "gatepost_edge_brokers", NULL, "Brokers linked",
			   ask_brokers, u);
}

struct uplink *uplink_new(const struct uplink_conf *conf, const struct uplink_uses *uses,
			  const struct uplink_callbacks *on, void *arg)
{
	struct uplink *u = xcalloc(1, sizeof *u);

	u->conf = *conf;
	u->uses = *uses;
	u->on = *on;
	u->arg = arg;
	u->ring = ring_new();
	u->stored = ring_new();
	lane_queue_init(&u->orphans);
	lane_queue_init(&u->retrying);
	lane_queue_init(&u->suspects);
	proto_arena_init(&u->arena);
	u->seeds = seeds_new(uses->loop, conf->brokers, conf->resolve_ms,
			     broker_links_named, u);
	if (u->seeds == NULL) {
		uplink_free(u);
		return NULL;
	}
	register_counts(u);
	u->timer = timer_new(uses->loop, broker_links_tick, u);
	timer_every(u->timer, TICK_MS);
	broker_links_tick(u);
	return u;
}

void uplink_free(struct uplink *u)
{
	if (u == NULL)
		return;
	seeds_free(u->seeds);
	timer_free(u->timer);
	broker_links_free(u);
	ring_free(u->ring);
	ring_free(u->stored);
	proto_arena_close(&u->arena);
	free(u);
}

/* ---- events ---- */

static bool is_disconnect(const struct lane_event *e)
{
	return e->kind == GATEPOST__EVENT__KIND__DISCONNECT;
}

static struct lane_event *append(struct uplink *u, struct lane *l, uint8_t kind,
				 struct blob *request, struct blob *body)
{
	struct lane_event *e = lane_append(l, kind, clock_wall_ms(), request, body);

	e->resyncs = u->resyncs;
	metric_add(u->counts.events, 1);
	return e;
}

uint32_t uplink_request(struct uplink *u, struct lane *l, uint8_t kind,
			struct blob *request, struct blob *body)
{
	struct lane_event *e = append(u, l, kind, request, body);

	uplink_pump(u, l);
	return e->memory;
}

uint32_t uplink_message(struct uplink *u, struct lane *l, struct blob *body, bool binary)
{
	struct lane_event *e = append(u, l, GATEPOST__EVENT__KIND__MESSAGE, NULL, body);

	e->binary = binary;
	uplink_pump(u, l);
	return e->memory;
}

uint32_t uplink_unsubscribed(struct uplink *u, struct lane *l, struct span channel)
{
	struct lane_event *e = append(u, l, GATEPOST__EVENT__KIND__UNSUBSCRIBED, NULL,
				      blob_new(channel));

	uplink_pump(u, l);
	return e->memory;
}

uint32_t uplink_disconnect(struct uplink *u, struct lane *l, uint16_t code,
			   struct span reason, struct blob *channels)
{
	struct lane_event *e = append(u, l, GATEPOST__EVENT__KIND__DISCONNECT, channels,
				      blob_new(reason));

	e->code = code;
	uplink_pump(u, l);
	return e->memory;
}

uint32_t uplink_cancel(struct uplink *u, struct lane *l)
{
	struct lane_event *e = l->first;
	uint32_t bytes;

	if (e == NULL || e != l->unsent || e->was_sent || is_disconnect(e))
		return 0;
	lane_leave_queue(l);
	l->unsent = e->next;
	bytes = e->memory;
	lane_done(l, e);
	pump_rest(u, l);
	return bytes;
}

/* CONNECT and DISCONNECT change the table, UNSUBSCRIBED presence; other events do not need the store. */
static bool needs_store(const struct lane_event *e)
{
	return e != NULL && (e->kind == GATEPOST__EVENT__KIND__CONNECT ||
			     e->kind == GATEPOST__EVENT__KIND__DISCONNECT ||
			     e->kind == GATEPOST__EVENT__KIND__UNSUBSCRIBED);
}

/* Of the brokers that have the store, if there are any; after a detour, another one. */
static struct broker_link *owner_with_store(const struct uplink *u, const struct lane *l,
					    uint64_t hash)
{
	const struct ring *ring = ring_size(u->stored) > 0 ? u->stored : u->ring;

	return ring_pick(ring, hash + l->detours);
}

/*
 * A lane moves to its right owner when nothing of it is under way at the old one. An event
 * that needs the store may make a detour; what comes after it finds the lane's owner again.
 */
static void choose_owner(struct uplink *u, struct lane *l)
{
	struct broker_link *right, *owner;
	uint64_t hash;
	bool store;

	if (l->owner != NULL && l->ring_version == ring_version(u->ring) &&
	    !(l->owner->lacks_store && needs_store(l->unsent)))
		return;
	store = needs_store(l->unsent);
	hash = id_hash(&l->id);
	right = ring_pick(u->ring, hash);
	owner = store ? owner_with_store(u, l, hash) : right;
	if (owner != l->owner)
		lane_restart(l, owner, ring_version(u->ring));
	l->ring_version = owner == right ? ring_version(u->ring) : 0;
}

static size_t head_bytes(const struct lane *l, const struct lane_event *e)
{
	return l->context->n + (e->request ? e->request->n : 0);
}

static size_t body_bytes(const struct lane_event *e)
{
	return e->body ? e->body->n : 0;
}

/* The credit for the event: all bytes sent with it, and its memory in the broker. */
static uint32_t credit_for(const struct lane *l, const struct lane_event *e)
{
	return (uint32_t)(EVENT_COSTS + body_bytes(e) + HEAD_COSTS * head_bytes(l, e));
}

static bool is_beside_reserve(const struct window *w)
{
	return w->used_items < w->items - w->items / RESERVE &&
	       w->used_bytes < w->bytes - w->bytes / RESERVE;
}

/*
 * The one decision about a lane's next event: may it be sent now, or where does the lane wait?
 *
 * n             events of the lane under way
 * is_its_turn   it has come to the head of its queue; else the lanes that wait there go first
 * returns       NULL: send it; else the queue that the lane is to wait in
 */
static struct lane_queue *queue_for(struct uplink *u, const struct lane *l, uint32_t n,
				    bool is_its_turn)
{
	const struct lane_event *e = l->unsent;
	struct broker_link *b = l->owner;
	struct lane_queue *q;
	bool is_modest, has_credit;

	if (b == NULL)
		return &u->orphans;
	/* Small, and alone: it may use the reserve. */
	is_modest = n == 0 && body_bytes(e) + head_bytes(l, e) <= SMALL_EVENT &&
		    !is_disconnect(e);
	has_credit = is_beside_reserve(&b->link.ahead) ||
		     (is_modest && window_has_credit(&b->link.ahead));
	q = is_modest ? &b->waiting : &b->busy;
	if (is_disconnect(e)) {
		q = &b->disconnecting;
		has_credit = has_credit && b->n_disconnecting < DISCONNECTING_MOST;
	}
	if (poison_is_suspect(e)) {
		q = &u->suspects;
		has_credit = has_credit && u->suspect == NULL;
	}
	return has_credit && (is_its_turn || TAILQ_EMPTY(&q->lanes)) ? NULL : q;
}

/* is_its_turn: it has come to the head of its queue. */
static void pump(struct uplink *u, struct lane *l, bool is_its_turn)
{
	struct lane_queue *q = NULL;
	uint32_t n;

	if (l->waits_in == &u->retrying)
		return;
	n = lane_under_way(l);
	if (n == 0)
		choose_owner(u, l);
	for (; l->unsent != NULL && n < u->conf.lane_in_flight; n++) {
		q = queue_for(u, l, n, is_its_turn);
		if (q != NULL)
			break;
		send_one(l);
		is_its_turn = false;
	}
	if (q == NULL) { /* all is sent, or the next answer sends the next event */
		lane_leave_queue(l);
		return;
	}
	if (l->waits_in == NULL)
		metric_add(u->counts.out_of_credit, 1);
	lane_join_queue(l, q);
}

void uplink_pump(struct uplink *u, struct lane *l)
{
	pump(u, l, false);
}

static void pump_rest(struct uplink *u, struct lane *l)
{
	if (l->unsent != NULL)
		pump(u, l, false);
}

void uplink_event_done(struct uplink *u, struct lane *l, struct lane_event *e)
{
	uint32_t bytes = e->memory;

	lane_done(l, e);
	pump_rest(u, l);
	u->on.done(u->arg, l, bytes);
}

/* The channels of a disconnect, which stand one after the other: a byte with the length, the name. */
static void add_channels(struct batch *out, Gatepost__Event *m, struct blob *names)
{
	ProtobufCBinaryData all = batch_hold(out, names);
	size_t n = 0;

	for (size_t at = 0; at < all.len; at += 1U + all.data[at])
		n++;
	m->channels = proto_arena_alloc(&out->arena, n * sizeof *m->channels);
	for (size_t at = 0; at < all.len; at += 1U + all.data[at])
		m->channels[m->n_channels++] =
			(ProtobufCBinaryData){all.data[at], all.data + at + 1};
}

static void send_one(struct lane *l)
{
	struct link *link = &l->owner->link;
	struct lane_event *e = l->unsent;
	Gatepost__Event *m =
		link_add(link, GATEPOST__ITEM__BODY_EVENT, &gatepost__event__descriptor);

	m->id = (ProtobufCBinaryData){.len = ID_BYTES, .data = l->id.b};
	m->term = l->term;
	m->seq = e->seq;
	m->kind = (Gatepost__Event__Kind)e->kind;
	m->time_ms = e->time_ms;
	m->context = batch_hold(&link->out, l->context);
	if (is_disconnect(e)) {
		m->reason = batch_hold(&link->out, e->body);
		add_channels(&link->out, m, e->request);
	} else {
		m->request = batch_hold(&link->out, e->request);
		m->body = batch_hold(&link->out, e->body);
	}
	m->binary = e->binary;
	m->code = e->code;
	m->again = e->was_sent ? EVENT_AGAIN : EVENT_FIRST;
	if (poison_is_suspect(e)) {
		m->again = EVENT_ACCUSED;
		l->owner->uplink->suspect = e;
	}
	e->was_sent = true;
	e->sent_ms = loop_now(l->owner->uplink->uses.loop);
	e->credit = credit_for(l, e);
	window_spend(&link->ahead, e->credit);
	l->owner->n_disconnecting += is_disconnect(e);
	l->unsent = e->next;
}

void uplink_credit(struct broker_link *from, const struct lane_event *e)
{
	window_refill(&from->link.ahead, 1, e->credit);
	if (from->uplink->suspect == e)
		from->uplink->suspect = NULL;
	if (is_disconnect(e) && from->n_disconnecting > 0)
		from->n_disconnecting--;
}

void uplink_pause(struct uplink *u, struct lane *l)
{
	if (l->waits_in == &u->retrying)
		return; /* the queue is in the order of retry_ms */
	l->retry_ms = loop_now(u->uses.loop) + u->conf.retry_ms;
	lane_join_queue(l, &u->retrying);
}

void uplink_retry(struct uplink *u, struct lane *l, struct lane_event *e)
{
	/* The events after it are sent again too: this owner does not answer them. */
	for (struct lane_event *i = e; i != l->unsent; i = i->next)
		uplink_credit(l->owner, i);
	l->unsent = e;
	uplink_pause(u, l);
	metric_add(u->counts.resent, 1);
}

void uplink_retry_due(struct uplink *u, int64_t now)
{
	struct lane *l;

	while ((l = TAILQ_FIRST(&u->retrying.lanes)) != NULL && l->retry_ms <= now) {
		lane_leave_queue(l);
		l->detours++; /* its owner could not handle it: another one gets it */
		l->ring_version = 0;
		uplink_pump(u, l);
	}
}

/* Lanes that still find no broker are requeued. */
void uplink_pump_orphans(struct uplink *u)
{
	struct lane_queue *q = &u->orphans;
	size_t n = 0;
	struct lane *l;

	TAILQ_FOREACH (l, &q->lanes, waiting)
		n++;
	while (n-- > 0 && (l = TAILQ_FIRST(&q->lanes)) != NULL) {
		lane_leave_queue(l);
		uplink_pump(u, l);
		u->on.wait_changed(u->arg, l);
	}
}

/* The first of the queue, if it may go. */
static struct lane *next_of(struct uplink *u, const struct lane_queue *q)
{
	struct lane *l = TAILQ_FIRST(&q->lanes);

	return l != NULL && queue_for(u, l, lane_under_way(l), true) == NULL ? l : NULL;
}

/* First lanes with nothing under way, then busy ones, then disconnects. */
static struct lane *next_waiting(const struct broker_link *b)
{
	struct uplink *u = b->uplink;
	struct lane *l = next_of(u, &b->waiting);

	if (l == NULL)
		l = next_of(u, &b->busy);
	return l != NULL ? l : next_of(u, &b->disconnecting);
}

static void pump_at_head(struct uplink *u, struct lane *l)
{
	lane_leave_queue(l);
	pump(u, l, true);
	u->on.wait_changed(u->arg, l);
}

static void pump_waiting(struct broker_link *b)
{
	struct lane *l;

	while ((l = next_waiting(b)) != NULL)
		pump_at_head(b->uplink, l);
}

/* The next accused event, which is sent alone. */
static void pump_suspects(struct uplink *u)
{
	struct lane *l = next_of(u, &u->suspects);

	if (l == NULL)
		return;
	pump_at_head(u, l);
}

static void flush(struct broker_link *b, int64_t now)
{
	enum err e = link_flush(&b->link, now);

	if (e == OK)
		return;
	metric_add(b->uplink->counts.link_full, e == ERR_BUSY);
	broker_link_close(b, "peer does not read", LINK_ENDED_BY_US);
}

void uplink_flush(void *arg)
{
	struct uplink *u = arg;
	int64_t now = loop_now(u->uses.loop);

	pump_suspects(u);
	for (struct broker_link *b = u->links; b != NULL; b = b->next) {
		if (b->z == NULL)
			continue;
		pump_waiting(b);
		flush(b, now);
	}
}

void uplink_leave(struct uplink *u)
{
	for (struct broker_link *b = u->links; b != NULL; b = b->next)
		if (b->z != NULL && b->link.state == LINK_UP)
			link_add(&b->link, GATEPOST__ITEM__BODY_LEAVING,
				 &gatepost__leaving__descriptor);
}

const char *uplink_missing(const struct uplink *u)
{
	return ring_size(u->ring) > 0 ? NULL : "no broker is linked";
}

uint16_t uplink_number(const struct uplink *u)
{
	return u->number;
}
