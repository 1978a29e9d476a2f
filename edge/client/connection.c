/*
 * The life of a client's socket: readiness, reading, writing, deadlines, the end.
 * The bytes are handled by its protocol: http.c and reply.c, then websocket.c.
 */
#include "edge/client/connection.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/channels/subscription.h"
#include "edge/client/address_limit.h"
#include "edge/client/backlog.h"
#include "edge/client/handshake.h"
#include "edge/client/registry.h"
#include "edge/link/uplink.h"
#include "ws/frame.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

static void on_ready(evutil_socket_t fd, short what, void *arg);
static void read_some(struct connection *c);
static void cut(struct connection *c);
static void write_some(struct connection *c);
static void write_and_drain(struct connection *c);
static void free_later(struct connection *c);
static void connection_tick(struct connection *c, int64_t now);

static const char *const state_names[] = {
	[CONNECTION_HEAD] = "head",       [CONNECTION_BODY] = "body",
	[CONNECTION_ASKED] = "asked",     [CONNECTION_OPEN] = "open",
	[CONNECTION_CLOSING] = "closing", [CONNECTION_LINGER] = "linger",
	[CONNECTION_GONE] = "gone",
};

#define TO(s) (1u << CONNECTION_##s)
static const unsigned allowed[] = {
	[CONNECTION_HEAD] = TO(BODY) | TO(ASKED) | TO(LINGER) | TO(GONE),
	[CONNECTION_BODY] = TO(ASKED) | TO(LINGER) | TO(GONE),
	[CONNECTION_ASKED] = TO(HEAD) | TO(OPEN) | TO(LINGER) | TO(GONE),
	[CONNECTION_OPEN] = TO(CLOSING) | TO(LINGER) | TO(GONE),
	[CONNECTION_CLOSING] = TO(LINGER) | TO(GONE),
	[CONNECTION_LINGER] = TO(GONE),
	[CONNECTION_GONE] = 0,
};

enum { LINGER_MS = 2000 };

/* A client may have this much queued even over the limit of all outboxes. */
enum { SMALL_OUTBOX = 16 * 1024 };

/* While the edge holds too much, a read returns at most this. */
enum { SMALL_READ = 16 * 1024 };

struct connection *connection_new(struct clients *clients, int fd,
				  const struct sockaddr *peer,
				  const struct connection_protocol *http,
				  struct address_use *use)
{
	struct connection *c = xcalloc(1, sizeof *c);

	if (registry_add(clients->registry, c, &c->slot) != OK) {
		free(c);
		return NULL;
	}
	c->clients = clients;
	c->protocol = http;
	c->transport.fd = fd;
	c->address = use;
	clients->sockets++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	c->heard_ms = c->active_ms = loop_now(clients->loop);
	c->deadline_ms = c->heard_ms + clients->conf.handshake_ms;
	c->lane.id = id_make(uplink_number(clients->uplink), c->slot, 0);
	c->handshake = handshake_new(clients, peer);
	event_assign(&c->ready, loop_base(clients->loop), fd, EV_READ | EV_PERSIST,
		     on_ready, c);
	event_add(&c->ready, NULL);
	c->watched = EV_READ;
	return c;
}

struct connection *connection_of(struct lane *l)
{
	return (struct connection *)(void *)((char *)l -
					     offsetof(struct connection, lane));
}

/* The one place that writes c->state. */
void connection_set_state(struct connection *c, enum connection_state next,
			  int64_t deadline)
{
	assert(allowed[c->state] & 1u << next);
	if (log_is_on(LOG_DEBUG)) {
		char text[ID_TEXT];

		log_debug("connection.state", S("id", id_text(&c->lane.id, text)),
			  S("from", state_names[c->state]), S("to", state_names[next]));
	}
	if (c->state == CONNECTION_OPEN)
		subscription_leave(c->clients->channels, &c->subscriber);
	c->state = (uint8_t)next;
	c->deadline_ms = deadline ? loop_now(c->clients->loop) + deadline : 0;
	connection_update(c);
}

static bool holds_too_much(const struct clients *clients)
{
	return clients->held_bytes > (uint64_t)clients->conf.held_bytes;
}

bool connection_is_ahead(const struct connection *c)
{
	const struct clients_conf *conf = &c->clients->conf;
	const struct lane *l = &c->lane;

	return l->waits_in != NULL || l->n >= conf->lane_events ||
	       l->bytes >= conf->lane_bytes ||
	       (l->first != NULL && holds_too_much(c->clients)) ||
	       !connection_can_queue(c);
}

/* Parse what was read before more is read; TCP holds back a client that is ahead. */
static bool may_read(const struct connection *c)
{
	return c->backlog == NULL && !c->is_close_pending && !connection_is_ahead(c);
}

/* The events to watch the socket for. */
static short events_to_watch(const struct connection *c)
{
	short w = c->outbox && !c->is_dirty ? EV_WRITE : 0;

	switch ((enum connection_state)c->state) {
	case CONNECTION_ASKED:
		return w | EV_CLOSED; /* the client may close its end meanwhile */
	case CONNECTION_OPEN: return may_read(c) ? w | EV_READ : w;
	case CONNECTION_HEAD:
	case CONNECTION_BODY:
	case CONNECTION_LINGER: return w | EV_READ;
	case CONNECTION_CLOSING: return c->pending_close || c->backlog ? w : w | EV_READ;
	case CONNECTION_GONE: return 0;
	}
	return 0;
}

static void resume(void *arg)
{
	struct connection *c = arg;

	c->is_resuming = false;
	if (c->backlog != NULL)
		c->protocol->receive(c, span_of(NULL, 0));
}

/* In the next turn: the caller may be in the middle of its bytes. */
static void resume_later(struct connection *c)
{
	if (c->is_resuming || (c->state == CONNECTION_OPEN && connection_is_ahead(c)))
		return;
	c->is_resuming = true;
	loop_defer(c->clients->loop, resume, c);
}

void connection_update(struct connection *c)
{
	short now = c->watched, want = events_to_watch(c);

	if (c->backlog != NULL)
		resume_later(c);
	if (now == want || c->state == CONNECTION_GONE)
		return;
	if (c->state == CONNECTION_OPEN && now & EV_READ && !(want & EV_READ))
		metric_add(c->clients->counts.held_back, 1);
	c->watched = (uint8_t)want;
	event_del(&c->ready);
	event_assign(&c->ready, loop_base(c->clients->loop), c->transport.fd,
		     want | EV_PERSIST, on_ready, c);
	if (want)
		event_add(&c->ready, NULL);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if (what & EV_WRITE)
		write_and_drain(c);
	if (what & EV_CLOSED && c->state == CONNECTION_ASKED)
		connection_end(c, CAUSE_PEER_CLOSED, NULL);
	if (what & EV_READ && c->state != CONNECTION_GONE)
		read_some(c);
}

static void read_some(struct connection *c)
{
	size_t most = holds_too_much(c->clients) ? SMALL_READ : CLIENTS_SCRATCH, n;
	enum err e = transport_read(&c->transport, c->clients->scratch, most, &n);

	if (e == ERR_AGAIN)
		return;
	if (e != OK) {
		connection_end(c, CAUSE_PEER_CLOSED, NULL);
		return;
	}
	c->heard_ms = loop_now(c->clients->loop);
	c->is_pinged = false;
	if (c->state != CONNECTION_LINGER)
		c->protocol->receive(c, span_of(c->clients->scratch, n));
}

void connection_push(struct connection *c, struct blob *b)
{
	assert(c->state != CONNECTION_GONE);
	if (c->outbox == NULL)
		c->wrote_ms = loop_now(c->clients->loop);
	c->clients->outbox_bytes -= outbox_memory(c->outbox);
	outbox_push(&c->outbox, b);
	c->clients->outbox_bytes += outbox_memory(c->outbox);
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->next_dirty = c->clients->dirty;
	c->clients->dirty = c;
}

bool connection_can_queue(const struct connection *c)
{
	const struct clients_conf *conf = &c->clients->conf;
	size_t held = outbox_held(c->outbox);

	return held < (size_t)conf->outbox_bytes &&
	       (held <= SMALL_OUTBOX ||
		c->clients->outbox_bytes <= (uint64_t)conf->outbox_memory);
}

/* The kernel has all our bytes. A slow reader had its time until here. */
static void close_our_end(struct connection *c)
{
	transport_shutdown(&c->transport);
	c->deadline_ms = loop_now(c->clients->loop) + LINGER_MS;
}

static void write_some(struct connection *c)
{
	size_t wrote = 0, before = outbox_memory(c->outbox);
	enum err e = outbox_write(&c->outbox, &c->transport, &wrote);

	c->clients->outbox_bytes -= before - outbox_memory(c->outbox);
	if (wrote > 0) {
		c->wrote_ms = loop_now(c->clients->loop);
		metric_add(c->clients->counts.bytes_out, (int64_t)wrote);
	}
	if (e == ERR_DOWN) {
		connection_end(c, CAUSE_PEER_CLOSED, NULL);
		return;
	}
	if (e == OK && c->state == CONNECTION_LINGER)
		close_our_end(c);
	/* Usually all is written, and only EV_READ is watched: nothing changes. */
	if (c->outbox != NULL || c->watched != EV_READ)
		connection_update(c);
}

void connection_write(struct connection *c)
{
	write_some(c);
}

/* A slow one gets what was set aside for it. */
static void write_and_drain(struct connection *c)
{
	write_some(c);
	if (!c->is_slow || c->outbox != NULL || c->state != CONNECTION_OPEN)
		return;
	c->is_slow = false;
	subscription_drained(c->clients->channels, &c->subscriber);
}

void connections_flush(void *arg)
{
	struct clients *clients = arg;

	while (clients->dirty != NULL) {
		struct connection *c = clients->dirty;

		clients->dirty = c->next_dirty;
		c->is_dirty = false;
		if (c->state != CONNECTION_GONE)
			write_and_drain(c);
	}
}

/* ---- the end ---- */

static enum end_phase phase_of(const struct connection *c)
{
	const struct handshake *h = c->handshake;

	switch ((enum connection_state)c->state) {
	case CONNECTION_HEAD:
		if (h->n > 0)
			return PHASE_HEAD;
		return h->asked_ms == 0 ? PHASE_NEW : PHASE_KEPT;
	case CONNECTION_BODY: return PHASE_BODY;
	case CONNECTION_ASKED: return h->is_upgrade ? PHASE_CONNECT : PHASE_REQUEST;
	case CONNECTION_OPEN: return PHASE_OPEN;
	case CONNECTION_CLOSING: return c->pending_close ? PHASE_OWING : PHASE_CLOSING;
	case CONNECTION_LINGER: return PHASE_LINGER;
	case CONNECTION_GONE: break;
	}
	return PHASE_GONE;
}

static void note(const struct connection *c, const struct end *how)
{
	const struct client_counts *counts = &c->clients->counts;
	char id[ID_TEXT];

	switch (how->count) {
	case COUNT_NONE: return;
	case COUNT_BROKEN:
		metric_add(counts->broken, 1);
		log_info_flood("message.refused", S("id", id_text(&c->lane.id, id)),
			       I("close", how->code), B("why", how->reason));
		return;
	case COUNT_STALLED:
		metric_add(counts->slow, 1);
		log_info_flood("connection.stalled", S("id", id_text(&c->lane.id, id)),
			       S("why", "client does not read: queued messages are lost"),
			       S("hint", "--stall-timeout"));
		return;
	case COUNT_SILENT: metric_add(counts->silent, 1); return;
	case COUNT_UNANSWERED: metric_add(counts->unanswered, 1); return;
	}
}

/* The close frame, if the socket takes it; we do not wait for an answer. */
static void write_last(struct connection *c, const struct end *how)
{
	struct blob *frame;
	struct iovec iov;
	size_t n;

	if (c->outbox != NULL)
		return; /* it would be in the middle of a frame */
	frame = frame_close(how->code, how->reason);
	iov = (struct iovec){frame->p, frame->n};
	(void)!transport_write(&c->transport, &iov, 1, &n);
	blob_unref(frame);
}

/* A broker accounts for its events now. */
static void forget_lane(struct connection *c)
{
	c->clients->held_bytes -= c->lane.bytes;
	lane_close(&c->lane);
}

bool connection_end(struct connection *c, enum end_cause cause,
		    const struct end_words *words)
{
	struct end how = end_of(phase_of(c), cause, words);

	if (how.step == END_NOTHING)
		return false;
	note(c, &how);
	if (how.step == END_CUT_POLITELY)
		write_last(c, &how);
	if (how.forgets_lane)
		forget_lane(c);
	switch (how.step) {
	case END_CUT:
	case END_CUT_POLITELY:
		connection_disconnect(c, &how);
		cut(c);
		break;
	case END_REFUSE:
		connection_disconnect(c, &how);
		c->protocol->end(c, &how);
		connection_linger(c);
		if (how.forgets_request)
			c->protocol->forget(c);
		break;
	case END_CLOSE:
	case END_CLOSE_BEHIND:
	case END_CLOSE_NOW:
	case END_DRAIN: c->protocol->end(c, &how); break;
	case END_LINGER: connection_linger(c); break;
	case END_EVENT: connection_disconnect(c, &how); break;
	case END_DROP: free_later(c); break;
	case END_NOTHING: break;
	}
	return true;
}

void connection_disconnect(struct connection *c, const struct end *how)
{
	if (!how->has_event || !c->lane.is_open)
		return;
	c->lane.is_open = false;
	metric_add(c->clients->counts.closed, 1);
	connection_event_added(
		c, uplink_disconnect(c->clients->uplink, &c->lane, how->code, how->reason,
				     subscription_presence(&c->subscriber)));
	subscription_leave(c->clients->channels, &c->subscriber);
}

void connection_linger(struct connection *c)
{
	connection_set_state(c, CONNECTION_LINGER, 0);
	if (c->outbox == NULL)
		close_our_end(c);
}

static void cut(struct connection *c)
{
	c->protocol->forget(c);
	event_del(&c->ready);
	transport_close(&c->transport);
	c->clients->sockets--;
	if (c->address != NULL)
		address_limit_leave(c->clients->address_limit, c->address,
				    loop_now(c->clients->loop));
	c->clients->outbox_bytes -= outbox_memory(c->outbox);
	outbox_close(&c->outbox);
	connection_set_state(c, CONNECTION_GONE, 0);
	if (c->lane.first == NULL)
		free_later(c);
}

void connection_event_added(struct connection *c, uint32_t bytes)
{
	c->clients->held_bytes += bytes;
	connection_update(c);
}

void connection_event_done(struct connection *c, uint32_t bytes)
{
	c->clients->held_bytes -= bytes;
	if (c->state == CONNECTION_GONE && c->lane.first == NULL)
		free_later(c);
	else if (c->state == CONNECTION_CLOSING)
		c->protocol->answered(c);
	else
		connection_update(c);
}

static void free_now(void *arg)
{
	struct connection *c = arg;

	registry_remove(c->clients->registry, c->slot);
	subscription_leave(c->clients->channels, &c->subscriber);
	lane_close(&c->lane);
	http_abort(c->handshake);
	free(c);
}

/* Not inside a callback, whose caller may still use it. */
static void free_later(struct connection *c)
{
	if (c->is_freed)
		return;
	c->is_freed = true;
	loop_defer(c->clients->loop, free_now, c);
}

static void tick(void *arg, struct connection *c)
{
	connection_tick(c, *(int64_t *)arg);
}

/* A tenth of the slots each time: each connection about once a second. */
void connections_tick(void *arg)
{
	struct clients *clients = arg;
	int64_t now = loop_now(clients->loop);
	uint32_t slots = registry_slots(clients->registry);
	uint32_t step = slots / (1000 / CONNECTIONS_TICK_MS) + 1;

	if (clients->last_ticked >= slots)
		clients->last_ticked = 0;
	registry_each(clients->registry, clients->last_ticked,
		      clients->last_ticked + step, tick, &now);
	clients->last_ticked += step;
	if (clients->address_limit != NULL)
		address_limit_tick(clients->address_limit, now);
}

static void connection_tick(struct connection *c, int64_t now)
{
	if (c->outbox != NULL && now - c->wrote_ms > c->clients->conf.stall_ms) {
		connection_end(c, CAUSE_STALLED, NULL);
		return;
	}
	if (c->state == CONNECTION_ASKED || c->state == CONNECTION_OPEN)
		c->protocol->tick(c, now);
	if (c->state != CONNECTION_OPEN && c->deadline_ms != 0 && now >= c->deadline_ms)
		connection_end(c, end_timeout(phase_of(c)), NULL);
}

/* API Gateway sends 1001; 1012 lets clients distinguish a restart. */
struct end_words connection_drain_words(const struct clients *clients)
{
	if (clients->conf.profile == EDGE_PROFILE_AWS)
		return (struct end_words){FRAME_CODE_GOING_AWAY, span_str("Going away")};
	return (struct end_words){FRAME_CODE_RESTART, span_str("Service Restart")};
}
