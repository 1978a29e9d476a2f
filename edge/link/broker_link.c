/*
 * The links of an edge to its brokers, in order:
 *
 *   named → connect_to → on_link (Hello) → on_message → welcome → up
 *   broker_link_close → its lanes move to their next owners
 */
#include "base/log.h"
#include "base/mem.h"
#include "edge/link/downlink.h"
#include "edge/link/poison.h"
#include "edge/link/resync.h"
#include "edge/link/uplink_internal.h"
#include "proto/envelope.h"

#include <stdlib.h>

/* Each broker takes two sockets of ZeroMQ's, which has 1023 in all. */
enum { FORGET_MS = 60 * 1000, BROKERS_MOST = 200, LAST_WORDS_MS = 1000 };

static void connect_to(struct broker_link *b);
static void on_link(void *arg, bool up);
static void on_message(void *arg, struct span from, zmq_msg_t *body);
static void receive(struct broker_link *b, const Gatepost__Item *i);
static void on_welcome(struct broker_link *b, const Gatepost__Welcome *w);
static void on_members(struct uplink *u, const Gatepost__Members *m);
static void on_resync(struct broker_link *b, const Gatepost__Resync *m);
static void leave_rings(struct broker_link *b);
static void receive_store(struct broker_link *b, const Gatepost__Store *m);

static void free_link(struct broker_link *b)
{
	if (b->z != NULL) { /* the process ends: the last message may be a disconnect */
		zsock_linger(b->z, LAST_WORDS_MS);
		zsock_free(b->z);
		link_close(&b->link);
	}
	free(b->endpoint);
	free(b);
}

void broker_links_free(struct uplink *u)
{
	while (u->links != NULL) {
		struct broker_link *b = u->links;

		u->links = b->next;
		free_link(b);
	}
}

static struct broker_link *by_endpoint(struct uplink *u, const char *endpoint)
{
	struct broker_link *b = u->links;

	while (b != NULL && strcmp(b->endpoint, endpoint) != 0)
		b = b->next;
	return b;
}

static struct broker_link *find_or_add(struct uplink *u, const char *endpoint)
{
	struct broker_link *b = by_endpoint(u, endpoint);

	if (b != NULL)
		return b;
	if (u->n_links == BROKERS_MOST) {
		log_warn_flood("brokers.too_many", I("most", BROKERS_MOST),
			       S("ignored", endpoint));
		return NULL;
	}
	b = xcalloc(1, sizeof *b);
	b->uplink = u;
	b->endpoint = xstrdup(endpoint);
	b->next = u->links;
	lane_queue_init(&b->waiting);
	lane_queue_init(&b->busy);
	lane_queue_init(&b->disconnecting);
	u->links = b;
	u->n_links++;
	return b;
}

void broker_links_named(void *arg, const char *endpoint)
{
	struct uplink *u = arg;
	struct broker_link *b = find_or_add(u, endpoint);

	if (b != NULL)
		b->listed_ms = loop_now(u->uses.loop);
}

/* The endpoint comes from Redis: libzmq would also accept inproc, udp and more, where no broker is. */
static bool is_broker_endpoint(const char *endpoint)
{
	return strncmp(endpoint, "tcp://", 6) == 0 || strncmp(endpoint, "ipc://", 6) == 0;
}

static void on_members(struct uplink *u, const Gatepost__Members *m)
{
	u->is_far = false;
	for (struct broker_link *b = u->links; b != NULL; b = b->next)
		b->is_member = false;
	for (size_t i = 0; i < m->n_members; i++) {
		const char *endpoint = m->members[i]->endpoint;
		struct broker_link *b = NULL;

		if (is_broker_endpoint(endpoint))
			b = find_or_add(u, endpoint);
		else
			log_warn_flood("brokers.transport", S("ignored", endpoint));
		if (b == NULL) {
			u->is_far = true;
			continue;
		}
		b->is_member = true;
		b->member = m->members[i]->boot;
	}
}

/* The link to that process which is up. */
static struct broker_link *find_by_boot(struct uplink *u, uint64_t boot)
{
	for (struct broker_link *b = u->links; b != NULL; b = b->next)
		if (b->z != NULL && b->link.state == LINK_UP && b->boot == boot)
			return b;
	return NULL;
}

/* A broker may have two names, a seed's and its own: one link is enough. */
static bool is_due(struct broker_link *b, int64_t now)
{
	return b->z == NULL && now >= b->reconnect_ms &&
	       find_by_boot(b->uplink, b->boot) == NULL;
}

void broker_links_tick(void *arg)
{
	struct uplink *u = arg;
	int64_t now = loop_now(u->uses.loop);

	for (struct broker_link **at = &u->links; *at != NULL;) {
		struct broker_link *b = *at;

		/* One that is lost now is forgotten another time: its socket knows it until the turn ends. */
		if (b->z != NULL && link_is_silent(&b->link, now)) {
			broker_link_close(b, "silence", LINK_ENDED_SILENT);
		} else if (b->z == NULL && !b->is_member &&
			   now - b->listed_ms > FORGET_MS) {
			*at = b->next;
			u->n_links--;
			free_link(b);
			continue;
		}
		if (is_due(b, now))
			connect_to(b);
		at = &b->next;
	}
	uplink_retry_due(u, now);
}

static void connect_to(struct broker_link *b)
{
	const struct uplink_conf *conf = &b->uplink->conf;
	struct loop *loop = b->uplink->uses.loop;
	struct link_timing timing = {conf->heartbeat_ms, conf->silence_ms};

	b->reconnect_ms = loop_now(loop) + conf->retry_ms;
	b->z = zsock_new(loop, b->uplink->uses.zctx, ZMQ_DEALER, on_message, b);
	if (conf->silence_ms > ZSOCK_SILENCE_MS)
		zsock_silence(b->z, (int)conf->silence_ms);
	zsock_watch(b->z, on_link);
	link_init(&b->link, b->z, span_of(NULL, 0), timing, loop_now(loop));
	snprintf(b->link.peer, sizeof b->link.peer, "%s", b->endpoint);
	if (zsock_connect(b->z, b->endpoint) != OK)
		broker_link_close(b, "not an endpoint that ZeroMQ can connect to",
				  LINK_ENDED_BY_US);
}

/* The transport is up: send Hello. Or it has ended. */
static void on_link(void *arg, bool up)
{
	struct broker_link *b = arg;
	const struct uplink *u = b->uplink;
	Gatepost__Hello *m;

	if (b->z == NULL)
		return;
	if (!up) {
		broker_link_close(b, "peer closed the link", LINK_ENDED_CLOSED);
		return;
	}
	if (b->link.state != LINK_CONNECTING)
		return;
	link_set_state(&b->link, LINK_GREETING);
	m = link_add(&b->link, GATEPOST__ITEM__BODY_HELLO, &gatepost__hello__descriptor);
	m->name = (char *)(uintptr_t)u->conf.name;
	m->boot = u->conf.boot;
	m->number = u->number;
	m->credit_items = (uint64_t)u->conf.credit_items;
	m->credit_bytes = (uint64_t)u->conf.credit_bytes;
}

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	(void)from;
	broker_link_receive(arg, span_of(zmq_msg_data(body), zmq_msg_size(body)));
}

void broker_link_receive(struct broker_link *b, struct span said)
{
	struct uplink *u = b->uplink;
	Gatepost__Envelope *e;
	enum err err;

	if (b->z == NULL)
		return;
	link_heard(&b->link, loop_now(u->uses.loop));
	err = envelope_read(said, &u->arena, &e);
	if (err == ERR_DENIED)
		log_error("link.version", S("broker", b->link.peer),
			  I("theirs", e->version), I("ours", LINK_VERSION),
			  S("hint", "run the same version of edge and broker"));
	if (err == ERR_DENIED)
		broker_link_close(b, "another version", LINK_ENDED_BY_US);
	else if (err != OK)
		broker_link_close(b, "message is not an envelope", LINK_ENDED_UNREADABLE);
	for (size_t i = 0; err == OK && i < e->n_items && b->z != NULL; i++)
		receive(b, e->items[i]);
	proto_arena_reset(&u->arena);
}

/* All that a broker can send. */
static void receive(struct broker_link *b, const Gatepost__Item *i)
{
	struct uplink *u = b->uplink;
	bool up = b->link.state == LINK_UP;

	switch ((int)i->body_case) {
	case GATEPOST__ITEM__BODY_WELCOME: on_welcome(b, i->welcome); return;
	case GATEPOST__ITEM__BODY_REFUSAL:
		log_warn("link.refused", S("broker", b->link.peer),
			 S("why", i->refusal->reason), I("version", i->refusal->version));
		broker_link_close(b, "refused by the broker",
				  strcmp(i->refusal->reason, ENVELOPE_UNREADABLE) == 0
					  ? LINK_ENDED_UNREADABLE
					  : LINK_ENDED_BY_US);
		return;
	case GATEPOST__ITEM__BODY_MEMBERS: on_members(u, i->members); return;
	case GATEPOST__ITEM__BODY_ANSWER:
		if (up)
			downlink_answer(b, i->answer);
		return;
	case GATEPOST__ITEM__BODY_COMMAND:
		if (!up)
			return;
		b->link.taken_items++;
		b->link.taken_bytes +=
			i->command->frame ? i->command->frame->body.len : 0;
		u->on.command(u->arg, b, i->command);
		return;
	case GATEPOST__ITEM__BODY_RESYNC:
		if (up)
			on_resync(b, i->resync);
		return;
	case GATEPOST__ITEM__BODY_LEAVING: leave_rings(b); return;
	case GATEPOST__ITEM__BODY_STORE:
		if (up)
			receive_store(b, i->store);
		return;
	case GATEPOST__ITEM__BODY_CONFIRMATION:
	case GATEPOST__ITEM__BODY_DELIVER:
	case GATEPOST__ITEM__BODY_FILL:
	case GATEPOST__ITEM__BODY_PRESENCE:
		if (up)
			channel_link_item(b, i);
		return;
	default:
		broker_link_close(b, "broker sent a message that only edges send",
				  LINK_ENDED_UNREADABLE);
		return;
	}
}

/* From now on it gets lanes. */
static void enter_rings(struct broker_link *b, bool lacks_store)
{
	ring_put(b->uplink->ring, b->boot, b);
	b->in_ring = true;
	b->lacks_store = lacks_store;
	if (!lacks_store)
		ring_put(b->uplink->stored, b->boot, b);
}

static void leave_rings(struct broker_link *b)
{
	if (!b->in_ring)
		return;
	ring_remove(b->uplink->ring, b->boot);
	ring_remove(b->uplink->stored, b->boot);
	b->in_ring = false;
}

static void receive_store(struct broker_link *b, const Gatepost__Store *m)
{
	log_info("broker.store", S("broker", b->link.peer), I("down", m->away));
	b->lacks_store = m->away;
	if (!m->away && b->in_ring)
		ring_put(b->uplink->stored, b->boot, b);
	else
		ring_remove(b->uplink->stored, b->boot);
}

static void adopt_number(struct uplink *u, uint16_t number)
{
	if (u->number == number)
		return;
	if (u->number != 0) { /* the rows of the old number are reaped */
		log_error("edge.number.lost", I("old", u->number), I("new", number),
			  I("connections", u->on.count(u->arg)),
			  S("why", "lease expired: these connections are closed"));
		u->on.fenced(u->arg);
		u->suspect = NULL;
		for (struct broker_link *b = u->links; b != NULL; b = b->next)
			b->link.ahead.used_items = b->link.ahead.used_bytes =
				b->n_disconnecting = 0;
	}
	u->number = number;
	log_info("edge.number", I("number", number));
}

static void on_welcome(struct broker_link *b, const Gatepost__Welcome *w)
{
	struct uplink *u = b->uplink;
	struct broker_link *twin;

	if (b->link.state != LINK_GREETING)
		return;
	twin = find_by_boot(u, w->boot);
	if (twin != NULL) /* the broker has dropped that link for this one */
		broker_link_close(twin, "same broker at another endpoint",
				  LINK_ENDED_BY_US);
	adopt_number(u, (uint16_t)w->number);
	b->boot = w->boot;
	b->link.ahead =
		(struct window){.items = w->credit_events, .bytes = w->credit_bytes};
	snprintf(b->link.peer, sizeof b->link.peer, "%s", w->name);
	b->n_disconnecting = 0;
	link_set_state(&b->link, LINK_UP);
	enter_rings(b, w->store != NULL && w->store->away);
	log_info("link.up", S("broker", b->link.peer), S("endpoint", b->endpoint));
	on_members(u, w->members);
	channel_link_up(b, w->beat_ms);
	uplink_pump_orphans(u);
}

/* The store may lack some of our rows: this broker writes them. */
static void on_resync(struct broker_link *b, const Gatepost__Resync *m)
{
	struct uplink *u = b->uplink;
	uint32_t n = u->on.count(u->arg);

	if (n > 0)
		log_info("edge.resync", S("broker", b->link.peer), I("connections", n));
	u->resyncs++;
	resync_send(u, &b->link, m->ticket);
}

struct loss {
	struct broker_link *broker;
	enum link_end end;
};

/* No broker gets e again: the clients' side answers it. */
static void end_poisonous(struct uplink *u, struct lane *l, struct lane_event *e)
{
	metric_add(u->counts.poisonous, 1);
	poison_log(l, e);
	if (l->unsent == e)
		l->unsent = e->next;
	u->on.poisoned(u->arg, l, e);
	uplink_event_done(u, l, e);
}

/* What was under way is sent to the lane's next owner, or ended when it is poisonous. */
static void move_lane(void *arg, struct lane *l)
{
	const struct loss *loss = arg;
	struct uplink *u = loss->broker->uplink;
	struct lane_event *guilty;

	if (l->owner != loss->broker)
		return;
	if (l->first != NULL)
		metric_add(u->counts.resent, l->n);
	guilty = poison_blame(u, l, loss->end);
	if (l->waits_in != &u->retrying)
		lane_leave_queue(l);
	lane_restart(l, ring_pick(u->ring, id_hash(&l->id)), ring_version(u->ring));
	if (guilty != NULL)
		end_poisonous(u, l, guilty);
	if (l->first != NULL && l->first->blame >= POISON_PAUSED)
		uplink_pause(u, l);
	uplink_pump(u, l);
	u->on.wait_changed(u->arg, l);
}

static void free_zsock(void *arg)
{
	zsock_free(arg);
}

/* Its lanes move to their next owners, and unanswered events are sent there again. */
void broker_link_close(struct broker_link *b, const char *why, enum link_end end)
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
	link_set_state(&b->link, LINK_DOWN);
	link_close(&b->link);
	loop_defer(u->uses.loop, free_zsock, b->z);
	b->z = NULL;
	leave_rings(b);
	if (!was_up)
		return;
	channel_link_down(b);
	u->on.each(u->arg, move_lane, &loss);
}
