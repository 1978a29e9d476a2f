/*
 * The brokers, as an edge sees them, down the page:
 *
 *   named → connect → on_link → greet → on_message → welcome → up
 *   … lost → its lanes are restarted at their next homes
 */
#include "base/log.h"
#include "base/mem.h"
#include "edge/link/downlink.h"
#include "edge/client/registry.h"
#include "edge/link/resync.h"
#include "edge/link/uplink_internal.h"
#include "proto/envelope.h"

#include <stdlib.h>

/* Each broker takes two sockets of ZeroMQ's, which has 1023 in all. */
enum { FORGET_MS = 60 * 1000, BROKERS_MOST = 200, LAST_WORDS_MS = 1000 };

static void connect_to(struct broker *b);
static void on_link(void *arg, bool up);
static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void take(struct broker *b, const Gatepost__Item *i);
static void welcome(struct broker *b, const Gatepost__Welcome *w);
static void members(struct uplink *u, const Gatepost__Members *m);
static void resync(struct broker *b, const Gatepost__Resync *m);
static void take_out(struct broker *b);
static void hear_of_store(struct broker *b, const Gatepost__Store *m);

static void broker_free(struct broker *b)
{
	if (b->z !=
	    NULL) { /* the process ends: a disconnect may be the last that it said */
		zsock_linger(b->z, LAST_WORDS_MS);
		zsock_free(b->z);
		link_close(&b->link);
	}
	free(b->endpoint);
	free(b);
}

void brokers_free(struct uplink *u)
{
	while (u->brokers != NULL) {
		struct broker *b = u->brokers;

		u->brokers = b->next;
		broker_free(b);
	}
}

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
			       S("ignored", endpoint));
		return NULL;
	}
	b = xcalloc(1, sizeof *b);
	b->uplink = u;
	b->endpoint = xstrdup(endpoint);
	b->next = u->brokers;
	lane_queue_init(&b->waiting);
	lane_queue_init(&b->greedy);
	lane_queue_init(&b->departing);
	u->brokers = b;
	u->n_brokers++;
	return b;
}

void brokers_named(void *arg, const char *endpoint)
{
	struct uplink *u = arg;
	struct broker *b = named(u, endpoint);

	if (b != NULL)
		b->named_ms = loop_now(u->edge->loop);
}

/* A row in Redis says where to link to: libzmq would take inproc, udp and more, where no broker is. */
static bool may_be_a_broker(const char *endpoint)
{
	return strncmp(endpoint, "tcp://", 6) == 0 || strncmp(endpoint, "ipc://", 6) == 0;
}

static void members(struct uplink *u, const Gatepost__Members *m)
{
	for (struct broker *b = u->brokers; b != NULL; b = b->next)
		b->is_member = false;
	for (size_t i = 0; i < m->n_members; i++) {
		const char *endpoint = m->members[i]->endpoint;
		struct broker *b = NULL;

		if (may_be_a_broker(endpoint))
			b = named(u, endpoint);
		else
			log_warn_flood("brokers.transport", S("ignored", endpoint));
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

void brokers_tick(void *arg)
{
	struct uplink *u = arg;
	int64_t now = loop_now(u->edge->loop);

	for (struct broker **at = &u->brokers; *at != NULL;) {
		struct broker *b = *at;

		/* One that is lost now is forgotten another time: its socket knows it until the turn ends. */
		if (b->z != NULL && link_is_silent(&b->link, now)) {
			broker_lost(b, "silence", LINK_ENDED_SILENT);
		} else if (b->z == NULL && !b->is_member &&
			   now - b->named_ms > FORGET_MS) {
			*at = b->next;
			u->n_brokers--;
			broker_free(b);
			continue;
		}
		if (is_due(b, now))
			connect_to(b);
		at = &b->next;
	}
	uplink_retry_due(u, now);
}

static void connect_to(struct broker *b)
{
	const struct edge_conf *conf = &b->uplink->edge->conf;
	struct loop *loop = b->uplink->edge->loop;
	struct link_timing timing = {conf->heartbeat_ms, conf->silence_ms};

	b->again_ms = loop_now(loop) + conf->retry_ms;
	b->z = zsock_new(loop, b->uplink->zctx, ZMQ_DEALER, on_message, b);
	if (conf->silence_ms > ZSOCK_SILENCE_MS)
		zsock_silence(b->z, (int)conf->silence_ms);
	zsock_watch(b->z, on_link);
	link_init(&b->link, b->z, span_of(NULL, 0), timing, loop_now(loop));
	snprintf(b->link.peer, sizeof b->link.peer, "%s", b->endpoint);
	if (zsock_connect(b->z, b->endpoint) != OK)
		broker_lost(b, "not an endpoint that ZeroMQ can connect to",
			    LINK_ENDED_BY_US);
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
		broker_lost(b, "peer closed the link", LINK_ENDED_CLOSED);
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
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	(void)from;
	broker_hears(arg, span_of(zmq_msg_data(body), zmq_msg_size(body)));
}

void broker_hears(struct broker *b, struct span said)
{
	struct uplink *u = b->uplink;
	Gatepost__Envelope *e;
	enum err err;

	if (b->z == NULL)
		return;
	link_heard(&b->link, loop_now(u->edge->loop));
	err = envelope_read(said, &u->arena, &e);
	if (err == ERR_DENIED)
		log_error("link.version", S("broker", b->link.peer),
			  I("theirs", e->version), I("ours", LINK_VERSION),
			  S("hint", "run the same version of edge and broker"));
	if (err == ERR_DENIED)
		broker_lost(b, "another version", LINK_ENDED_BY_US);
	else if (err != OK)
		broker_lost(b, "message is not an envelope", LINK_ENDED_UNREADABLE);
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
		broker_lost(b, "refused by the broker",
			    strcmp(i->refusal->reason, ENVELOPE_UNREADABLE) == 0
				    ? LINK_ENDED_UNREADABLE
				    : LINK_ENDED_BY_US);
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
	case GATEPOST__ITEM__BODY_LEAVING: take_out(b); return;
	case GATEPOST__ITEM__BODY_STORE:
		if (up)
			hear_of_store(b, i->store);
		return;
	default:
		broker_lost(b, "broker sent a message that only edges send",
			    LINK_ENDED_UNREADABLE);
		return;
	}
}

/* Into the rings: it is asked for lanes. */
static void put_in(struct broker *b, bool lacks_store)
{
	ring_put(b->uplink->ring, b->boot, b);
	b->in_ring = true;
	b->lacks_store = lacks_store;
	if (!lacks_store)
		ring_put(b->uplink->stored, b->boot, b);
}

static void take_out(struct broker *b)
{
	if (!b->in_ring)
		return;
	ring_remove(b->uplink->ring, b->boot);
	ring_remove(b->uplink->stored, b->boot);
	b->in_ring = false;
}

static void hear_of_store(struct broker *b, const Gatepost__Store *m)
{
	log_info("broker.store", S("broker", b->link.peer), I("down", m->away));
	b->lacks_store = m->away;
	if (!m->away && b->in_ring)
		ring_put(b->uplink->stored, b->boot, b);
	else
		ring_remove(b->uplink->stored, b->boot);
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
			  S("why", "lease expired: these connections are closed"));
		registry_each(edge->registry, 0, UINT32_MAX, give_up, NULL);
		u->on_trial = NULL;
		for (struct broker *b = u->brokers; b != NULL; b = b->next)
			b->link.ahead.used_items = b->link.ahead.used_bytes =
				b->n_departing = 0;
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
		broker_lost(twin, "same broker at another endpoint", LINK_ENDED_BY_US);
	adopt_number(u, (uint16_t)w->number);
	b->boot = w->boot;
	b->link.ahead =
		(struct window){.items = w->credit_events, .bytes = w->credit_bytes};
	snprintf(b->link.peer, sizeof b->link.peer, "%s", w->name);
	b->n_departing = 0;
	link_enter(&b->link, LINK_UP);
	put_in(b, w->store != NULL && w->store->away);
	log_info("link.up", S("broker", b->link.peer), S("endpoint", b->endpoint));
	members(u, w->members);
	uplink_pump_orphans(u);
}

/* The store may lack some of our rows: this broker writes them. */
static void resync(struct broker *b, const Gatepost__Resync *m)
{
	struct edge *edge = b->uplink->edge;
	uint32_t n = registry_count(edge->registry);

	if (n > 0)
		log_info("edge.resync", S("broker", b->link.peer), I("connections", n));
	edge->rosters++;
	roster_tell(edge->registry, &b->link, m->ticket);
}

struct loss {
	struct broker *broker;
	enum link_end end;
};

/* What was under way goes to the next home, or is told that it is not sent any more. */
static void move_lane(void *arg, struct connection *c)
{
	const struct loss *loss = arg;
	struct broker *b = loss->broker;
	struct uplink *u = b->uplink;
	struct lane_event *guilty;

	if (c->lane.home != b)
		return;
	if (c->lane.first != NULL)
		metric_add(u->edge->counts.resent, c->lane.n);
	guilty = poison_blame(u, &c->lane, loss->end);
	if (c->lane.waits_in != &u->retrying)
		lane_unwait(&c->lane);
	lane_restart(&c->lane, ring_pick(u->ring, id_hash(&c->id)),
		     ring_version(u->ring));
	if (guilty != NULL)
		poison_end(c, guilty);
	if (c->lane.first != NULL && c->lane.first->blame >= POISON_PAUSED)
		uplink_pause(u, &c->lane);
	uplink_pump(u, &c->lane);
	connection_settle(c);
}

static void free_zsock(void *arg)
{
	zsock_free(arg);
}

/* Its lanes go to their next homes, and what it had not answered goes there again. */
void broker_lost(struct broker *b, const char *why, enum link_end end)
{
	struct uplink *u = b->uplink;
	bool was_up = b->link.state == LINK_UP;
	struct loss loss = {b, b->in_ring ? end : LINK_ENDED_BY_US};

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
	take_out(b);
	if (was_up)
		registry_each(u->edge->registry, 0, UINT32_MAX, move_lane, &loss);
}
