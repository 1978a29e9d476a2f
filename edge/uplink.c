/*
 * The brokers, as an edge sees them.
 *
 *   an event:   append → pump → send_one         (lane.c keeps it meanwhile)
 *   a broker:   named → connect → on_link → greet → on_message → welcome → up
 *               … lost → its lanes are restarted at their next homes
 */
#include "edge/uplink.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ring.h"
#include "edge/downlink.h"
#include "edge/registry.h"
#include "edge/roster.h"
#include "edge/seeds.h"
#include "edge/websocket.h"
#include "proto/envelope.h"
#include "proto/link.h"

#include <assert.h>
#include <stdlib.h>

/* Each broker takes two sockets of ZeroMQ's, which has 1023 in all. */
enum { TICK_MS = 100, FORGET_MS = 60 * 1000, BROKERS_MOST = 200 };

struct broker {
	struct uplink *uplink;
	struct broker *next;
	char *endpoint;
	struct zsock *z; /* NULL: no link now */
	struct link link;
	uint64_t boot;             /* of the process that said Welcome */
	struct lane_queue waiting; /* lanes at home here, without credit */
	int64_t again_ms;          /* when to connect next */
	int64_t named_ms;          /* when a seed named it last */
	bool is_member;            /* the brokers name it */
	bool in_ring;
};

struct uplink {
	struct edge *edge;
	void *zctx;
	struct seeds *seeds;
	struct timer *timer;
	struct broker *brokers;
	size_t n_brokers;
	struct ring *ring;
	struct lane_queue orphans;  /* no broker is there */
	struct lane_queue retrying; /* in the order of their time */
	struct arena arena;         /* of the envelope being read */
	char cluster
		[40]; /* the store's memory that our rows are in; empty before the first broker */
};

static void pump(struct uplink *u, struct lane *l);
static void send_one(struct lane *l);
static void on_named(void *arg, const char *endpoint);
static void tick(void *arg);
static void connect_to(struct broker *b);
static void on_link(void *arg, bool up);
static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void take(struct broker *b, const Gatepost__Item *i);
static void welcome(struct broker *b, const Gatepost__Welcome *w);
static void members(struct uplink *u, const Gatepost__Members *m);
static void resync(struct broker *b, const Gatepost__Resync *m);
static void lost(struct broker *b, const char *why);

struct uplink *uplink_new(struct edge *edge, void *zctx)
{
	struct uplink *u = xcalloc(1, sizeof *u);

	u->edge = edge;
	u->zctx = zctx;
	u->ring = ring_new();
	lane_queue_init(&u->orphans);
	lane_queue_init(&u->retrying);
	arena_init(&u->arena);
	u->seeds = seeds_new(edge->loop, edge->conf.brokers, edge->conf.resolve_ms,
			     on_named, u);
	if (u->seeds == NULL) {
		uplink_free(u);
		return NULL;
	}
	u->timer = timer_new(edge->loop, tick, u);
	timer_every(u->timer, TICK_MS);
	tick(u);
	return u;
}

static void broker_free(struct broker *b)
{
	if (b->z != NULL) {
		zsock_free(b->z);
		link_close(&b->link);
	}
	free(b->endpoint);
	free(b);
}

void uplink_free(struct uplink *u)
{
	if (u == NULL)
		return;
	seeds_free(u->seeds);
	timer_free(u->timer);
	while (u->brokers != NULL) {
		struct broker *b = u->brokers;

		u->brokers = b->next;
		broker_free(b);
	}
	ring_free(u->ring);
	arena_close(&u->arena);
	free(u);
}

/* ---- events go up ---- */

static struct lane_event *append(struct uplink *u, struct connection *c, uint8_t kind,
				 struct blob *request, struct blob *body)
{
	struct lane_event *e =
		lane_append(&c->lane, kind, clock_wall_ms(), request, body);

	u->edge->held_bytes += lane_event_bytes(e);
	metric_add(u->edge->counts.events, 1);
	return e;
}

/* As far as credit goes; then look whether the client must be held back. */
static void go(struct uplink *u, struct connection *c)
{
	pump(u, &c->lane);
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

/* A lane moves to its right home when nothing of it is under way at the old one. */
static void settle_home(struct uplink *u, struct lane *l)
{
	struct broker *home;

	if (l->home != NULL && l->ring_version == ring_version(u->ring))
		return;
	home = ring_pick(u->ring, id_hash(&connection_of(l)->id));
	if (home != l->home)
		lane_restart(l, home, ring_version(u->ring));
	l->ring_version = ring_version(u->ring);
}

static void pump(struct uplink *u, struct lane *l)
{
	if (l->waits_in == &u->retrying)
		return;
	if (lane_is_quiet(l))
		settle_home(u, l);
	while (l->unsent != NULL && l->home != NULL &&
	       window_has_room(&l->home->link.ahead))
		send_one(l);
	if (l->unsent == NULL)
		lane_unwait(l);
	else
		lane_wait(l, l->home ? &l->home->waiting : &u->orphans);
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
	m->again = e->was_sent;
	e->was_sent = true;
	window_take(&link->ahead, lane_event_bytes(e));
	l->unsent = e->next;
}

void uplink_credit(struct broker *from, size_t bytes)
{
	window_give(&from->link.ahead, 1, bytes);
}

void uplink_retry(struct uplink *u, struct connection *c, struct lane_event *e)
{
	c->lane.unsent = e;
	c->lane.retry_ms = loop_now(u->edge->loop) + u->edge->conf.retry_ms;
	lane_wait(&c->lane, &u->retrying);
	metric_add(u->edge->counts.resent, 1);
}

static void retry_due(struct uplink *u, int64_t now)
{
	struct lane *l;

	while ((l = TAILQ_FIRST(&u->retrying.lanes)) != NULL && l->retry_ms <= now) {
		lane_unwait(l);
		pump(u, l);
	}
}

/* Each lane in the queue once; those without luck come to its end again. */
static void pump_queue(struct uplink *u, struct lane_queue *q)
{
	size_t n = 0;
	struct lane *l;

	TAILQ_FOREACH(l, &q->lanes, waiting)
	n++;
	while (n-- > 0 && (l = TAILQ_FIRST(&q->lanes)) != NULL) {
		lane_unwait(l);
		pump(u, l);
		connection_settle(connection_of(l));
	}
}

static void pump_waiting(struct broker *b)
{
	struct lane *l;

	while (window_has_room(&b->link.ahead) &&
	       (l = TAILQ_FIRST(&b->waiting.lanes)) != NULL) {
		lane_unwait(l);
		pump(b->uplink, l);
		connection_settle(connection_of(l));
	}
}

void uplink_flush(void *arg)
{
	struct uplink *u = arg;
	int64_t now = loop_now(u->edge->loop);

	for (struct broker *b = u->brokers; b != NULL; b = b->next) {
		if (b->z == NULL)
			continue;
		pump_waiting(b);
		if (link_flush(&b->link, now) != OK)
			lost(b, "it takes nothing");
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

/* ---- brokers come and go ---- */

static struct broker *by_endpoint(struct uplink *u, const char *endpoint)
{
	struct broker *b = u->brokers;

	while (b != NULL && strcmp(b->endpoint, endpoint) != 0)
		b = b->next;
	return b;
}

static struct broker *named(struct uplink *u, const char *endpoint)
{
	struct broker *b = by_endpoint(u, endpoint);

	if (b != NULL)
		return b;
	if (u->n_brokers == BROKERS_MOST) {
		log_warn_flood("brokers.too_many", I("most", BROKERS_MOST),
			       S("passed_over", endpoint));
		return NULL;
	}
	b = xcalloc(1, sizeof *b);
	b->uplink = u;
	b->endpoint = xstrdup(endpoint);
	b->next = u->brokers;
	lane_queue_init(&b->waiting);
	u->brokers = b;
	u->n_brokers++;
	return b;
}

static void on_named(void *arg, const char *endpoint)
{
	struct uplink *u = arg;
	struct broker *b = named(u, endpoint);

	if (b != NULL)
		b->named_ms = loop_now(u->edge->loop);
}

static void members(struct uplink *u, const Gatepost__Members *m)
{
	for (struct broker *b = u->brokers; b != NULL; b = b->next)
		b->is_member = false;
	for (size_t i = 0; i < m->n_members; i++) {
		struct broker *b = named(u, m->members[i]->endpoint);

		if (b != NULL)
			b->is_member = true;
	}
}

/* The one whose link to that process is up. */
static struct broker *linked_to(struct uplink *u, uint64_t boot)
{
	for (struct broker *b = u->brokers; b != NULL; b = b->next)
		if (b->z != NULL && b->link.state == LINK_UP && b->boot == boot)
			return b;
	return NULL;
}

/* A broker may have two names, a seed's and its own: one link is enough. */
static bool is_due(struct broker *b, int64_t now)
{
	return b->z == NULL && now >= b->again_ms &&
	       linked_to(b->uplink, b->boot) == NULL;
}

static void tick(void *arg)
{
	struct uplink *u = arg;
	int64_t now = loop_now(u->edge->loop);

	for (struct broker **at = &u->brokers; *at != NULL;) {
		struct broker *b = *at;

		if (b->z != NULL && link_is_silent(&b->link, now))
			lost(b, "silence");
		if (b->z == NULL && !b->is_member && now - b->named_ms > FORGET_MS) {
			*at = b->next;
			u->n_brokers--;
			broker_free(b);
			continue;
		}
		if (is_due(b, now))
			connect_to(b);
		at = &b->next;
	}
	retry_due(u, now);
}

static void connect_to(struct broker *b)
{
	const struct edge_conf *conf = &b->uplink->edge->conf;
	struct loop *loop = b->uplink->edge->loop;
	struct link_timing timing = {conf->heartbeat_ms, conf->silence_ms};

	b->again_ms = loop_now(loop) + conf->retry_ms;
	b->z = zsock_new(loop, b->uplink->zctx, ZMQ_DEALER, on_message, b);
	zsock_watch(b->z, on_link);
	link_init(&b->link, b->z, span_of(NULL, 0), timing, loop_now(loop));
	snprintf(b->link.peer, sizeof b->link.peer, "%s", b->endpoint);
	if (zsock_connect(b->z, b->endpoint) != OK)
		lost(b, "not an endpoint that ZeroMQ can connect to");
}

/* The transport is there: say who we are. Or it has ended. */
static void on_link(void *arg, bool up)
{
	struct broker *b = arg;
	struct edge *edge = b->uplink->edge;
	Gatepost__Hello *m;

	if (b->z == NULL)
		return;
	if (!up) {
		lost(b, "its end is closed");
		return;
	}
	if (b->link.state != LINK_CONNECTING)
		return;
	link_enter(&b->link, LINK_GREETING);
	m = link_add(&b->link, GATEPOST__ITEM__BODY_HELLO, &gatepost__hello__descriptor);
	m->name = (char *)(uintptr_t)edge->conf.name;
	m->boot = edge->boot;
	m->number = edge->number;
	m->credit_items = (uint64_t)edge->conf.credit_items;
	m->credit_bytes = (uint64_t)edge->conf.credit_bytes;
	m->cluster = b->uplink->cluster;
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	struct broker *b = arg;
	struct uplink *u = b->uplink;
	Gatepost__Envelope *e;
	enum err err;

	(void)from;
	if (b->z == NULL)
		return;
	link_heard(&b->link, loop_now(u->edge->loop));
	err = envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)), &u->arena,
			    &e);
	if (err == ERR_DENIED)
		log_error("link.version", S("broker", b->link.peer),
			  I("theirs", e->version), I("ours", LINK_VERSION),
			  S("do", "run one version of edge and broker"));
	if (err != OK)
		lost(b, err == ERR_DENIED ? "another version"
					  : "what it says is not an envelope");
	for (size_t i = 0; err == OK && i < e->n_items && b->z != NULL; i++)
		take(b, e->items[i]);
	arena_reset(&u->arena);
}

/* All that a broker can say. */
static void take(struct broker *b, const Gatepost__Item *i)
{
	struct edge *edge = b->uplink->edge;
	bool up = b->link.state == LINK_UP;

	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_WELCOME: welcome(b, i->welcome); return;
	case GATEPOST__ITEM__BODY_REFUSAL:
		log_warn("link.refused", S("broker", b->link.peer),
			 S("why", i->refusal->reason), I("version", i->refusal->version));
		lost(b, "it refuses us");
		return;
	case GATEPOST__ITEM__BODY_MEMBERS: members(b->uplink, i->members); return;
	case GATEPOST__ITEM__BODY_ANSWER:
		if (up)
			downlink_answer(edge, b, i->answer);
		return;
	case GATEPOST__ITEM__BODY_COMMAND:
		if (!up)
			return;
		b->link.taken_items++;
		b->link.taken_bytes +=
			i->command->frame ? i->command->frame->body.len : 0;
		downlink_command(edge, b, i->command);
		return;
	case GATEPOST__ITEM__BODY_RESYNC:
		if (up)
			resync(b, i->resync);
		return;
	case GATEPOST__ITEM__BODY_LEAVING:
		if (b->in_ring)
			ring_remove(b->uplink->ring, b->boot);
		b->in_ring = false;
		return;
	default: lost(b, "it says what only an edge says"); return;
	}
}

static void give_up(void *arg, struct connection *c)
{
	(void)arg;
	connection_abandon(c);
}

static void adopt_number(struct uplink *u, uint16_t number)
{
	struct edge *edge = u->edge;

	if (edge->number == number)
		return;
	if (edge->number != 0) { /* the old number's rows are somebody else's by now */
		log_error("edge.number.lost", I("old", edge->number), I("new", number),
			  I("connections", registry_count(edge->registry)),
			  S("why", "the lease lapsed: these connections are closed"));
		registry_each(edge->registry, 0, UINT32_MAX, give_up, NULL);
		for (struct broker *b = u->brokers; b != NULL; b = b->next)
			b->link.ahead.used_items = b->link.ahead.used_bytes = 0;
	}
	edge->number = number;
	log_info("edge.number", I("number", number));
}

static void welcome(struct broker *b, const Gatepost__Welcome *w)
{
	struct uplink *u = b->uplink;
	struct broker *twin;

	if (b->link.state != LINK_GREETING)
		return;
	twin = linked_to(u, w->boot);
	if (twin != NULL) /* the broker has dropped that link for this one */
		lost(twin, "linked under another name");
	adopt_number(u, (uint16_t)w->number);
	b->boot = w->boot;
	b->link.ahead =
		(struct window){.items = w->credit_events, .bytes = w->credit_bytes};
	snprintf(b->link.peer, sizeof b->link.peer, "%s", w->name);
	if (u->cluster[0] == '\0')
		snprintf(u->cluster, sizeof u->cluster, "%s", w->cluster);
	link_enter(&b->link, LINK_UP);
	ring_put(u->ring, b->boot, b);
	b->in_ring = true;
	log_info("link.up", S("broker", b->link.peer), S("endpoint", b->endpoint));
	members(u, w->members);
	pump_queue(u, &u->orphans);
}

/* The store came back empty: this broker writes the table anew. */
static void resync(struct broker *b, const Gatepost__Resync *m)
{
	snprintf(b->uplink->cluster, sizeof b->uplink->cluster, "%s", m->cluster);
	log_info("edge.resync", S("broker", b->link.peer),
		 I("connections", registry_count(b->uplink->edge->registry)));
	roster_tell(b->uplink->edge->registry, &b->link);
}

static void move_lane(void *arg, struct connection *c)
{
	struct broker *b = arg;
	struct uplink *u = b->uplink;

	if (c->lane.home != b)
		return;
	if (c->lane.first != NULL)
		metric_add(u->edge->counts.resent, c->lane.n);
	if (c->lane.waits_in != &u->retrying)
		lane_unwait(&c->lane);
	lane_restart(&c->lane, ring_pick(u->ring, id_hash(&c->id)),
		     ring_version(u->ring));
	pump(u, &c->lane);
	connection_settle(c);
}

static void free_zsock(void *arg)
{
	zsock_free(arg);
}

/* Its lanes go to their next homes, and what it had not answered goes there again. */
static void lost(struct broker *b, const char *why)
{
	struct uplink *u = b->uplink;
	bool was_up = b->link.state == LINK_UP;

	if (b->z == NULL)
		return;
	if (was_up)
		log_warn("link.down", S("broker", b->link.peer),
			 S("endpoint", b->endpoint), S("why", why));
	else
		log_debug("link.failed", S("endpoint", b->endpoint), S("why", why));
	link_enter(&b->link, LINK_DOWN);
	link_close(&b->link);
	loop_defer(u->edge->loop, free_zsock, b->z);
	b->z = NULL;
	if (b->in_ring)
		ring_remove(u->ring, b->boot);
	b->in_ring = false;
	if (was_up)
		registry_each(u->edge->registry, 0, UINT32_MAX, move_lane, b);
}

const char *uplink_missing(const struct uplink *u)
{
	return ring_size(u->ring) > 0 ? NULL : "no broker is linked";
}

int64_t uplink_brokers(const struct uplink *u)
{
	return (int64_t)ring_size(u->ring);
}
