/*
 * The life of a client's socket: readiness, reading, writing, deadlines, the end.
 * What the bytes mean is the next room's: http.c and reply.c, then websocket.c.
 */
#include "edge/client/connection.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/client/limit.h"
#include "edge/client/backlog.h"
#include "edge/client/http.h"
#include "edge/client/registry.h"
#include "edge/link/uplink.h"
#include "edge/client/reply.h"
#include "edge/client/websocket.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

static void on_ready(evutil_socket_t fd, short what, void *arg);
static void read_some(struct connection *c);
static void hang_up(struct connection *c);
static void write_some(struct connection *c);
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

/* A client may have so much waiting for it also while all outboxes together hold too much. */
enum { SMALL_OUTBOX = 16 * 1024 };

/* While the edge holds too much, a read brings no more than this. */
enum { SMALL_READ = 16 * 1024 };

static const char RESTART[] = "Service Restart";

/*
 * Nothing is spent on it. A new socket's buffer takes a few bytes; whether they arrive is not
 * waited for. What the client has sent is read, since the kernel would tell of it with a reset.
 */
static void turn_away(struct edge *edge, int fd, const char *answer)
{
	(void)send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	(void)recv(fd, edge->scratch, EDGE_SCRATCH, MSG_DONTWAIT);
	close(fd);
}

static void turn_away_full(struct edge *edge, int fd)
{
	metric_add(edge->counts.refused, 1);
	log_warn_flood(
		"connection.refused", S("why", "too many connections"),
		I("connections", registry_count(edge->registry)),
		S("hint",
		  "add edges, or raise --max-connections and the limit of open files"));
	turn_away(edge, fd,
		  "HTTP/1.1 503 Service Unavailable\r\n"
		  "Content-Type: application/json\r\n"
		  "Content-Length: 48\r\n"
		  "Retry-After: 1\r\n"
		  "Connection: close\r\n\r\n"
		  "{\"message\":\"This edge is full: try again later\"}");
}

/* May this address have another socket? One that may not is told so, and closed. */
static bool address_may(struct edge *edge, int fd, const struct sockaddr *peer,
			struct address_use **use)
{
	char host[ADDRESS_TEXT];
	enum err e;

	*use = NULL;
	if (edge->address_limit == NULL)
		return true;
	e = address_limit_enter(edge->address_limit, peer, loop_now(edge->loop), use);
	if (e == OK)
		return true;
	metric_add(e == ERR_RATE ? edge->counts.over_rate : edge->counts.over_connections,
		   1);
	log_warn_flood(
		"connection.limited", S("address", address_host(peer, host)),
		S("why", e == ERR_RATE ? "address-rate" : "address-connections"),
		S("hint", "check this address; behind a proxy set both limits to 0"));
	turn_away(edge, fd,
		  "HTTP/1.1 429 Too Many Requests\r\n"
		  "Content-Type: application/json\r\n"
		  "Content-Length: 67\r\n"
		  "Retry-After: 1\r\n"
		  "Connection: close\r\n\r\n"
		  "{\"message\":\"Too many connections of this address: try again "
		  "later\"}");
	return false;
}

void connection_new(struct edge *edge, int fd, const struct sockaddr *peer)
{
	struct address_use *use;
	struct connection *c;

	if (!address_may(edge, fd, peer, &use))
		return;
	c = xcalloc(1, sizeof *c);
	if (registry_add(edge->registry, c, &c->slot) != OK) {
		if (use != NULL)
			address_limit_leave(edge->address_limit, use,
					    loop_now(edge->loop));
		turn_away_full(edge, fd);
		free(c);
		return;
	}
	c->address = use;
	edge->sockets++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	c->edge = edge;
	c->heard_ms = c->active_ms = loop_now(edge->loop);
	c->deadline_ms = c->heard_ms + edge->conf.handshake_ms;
	c->lane.id = id_make(uplink_number(edge->uplink), c->slot, 0);
	metric_add(edge->counts.accepted, 1);
	handshake_begin(c, peer);
	event_assign(&c->ready, loop_base(edge->loop), fd, EV_READ | EV_PERSIST, on_ready,
		     c);
	event_add(&c->ready, NULL);
	c->watched = EV_READ;
	if (edge->closing)
		connection_drain(c);
}

struct connection *connection_of(struct lane *l)
{
	return (struct connection *)(void *)((char *)l -
					     offsetof(struct connection, lane));
}

/* The one place that writes c->state. */
void connection_enter(struct connection *c, enum connection_state next, int64_t deadline)
{
	assert(allowed[c->state] & 1u << next);
	if (log_wants(LOG_DEBUG)) {
		char text[ID_TEXT];

		log_debug("connection.state", S("id", id_text(&c->lane.id, text)),
			  S("from", state_names[c->state]), S("to", state_names[next]));
	}
	c->state = (uint8_t)next;
	c->deadline_ms = deadline ? loop_now(c->edge->loop) + deadline : 0;
	connection_settle(c);
}

static bool holds_too_much(const struct edge *edge)
{
	return edge->held_bytes > (uint64_t)edge->conf.held_bytes;
}

bool connection_is_ahead(const struct connection *c)
{
	const struct edge_conf *conf = &c->edge->conf;
	const struct lane *l = &c->lane;

	return l->waits_in != NULL || l->n >= conf->lane_events ||
	       l->bytes >= conf->lane_bytes ||
	       (l->first != NULL && holds_too_much(c->edge)) || !connection_has_room(c);
}

/* What was read is parsed before more is read; who is ahead is held back by TCP. */
static bool may_read(const struct connection *c)
{
	return c->backlog == NULL && !c->is_retiring && !connection_is_ahead(c);
}

/* What the socket is to be watched for. */
static short wanted(const struct connection *c)
{
	short w = c->outbox && !c->is_dirty ? EV_WRITE : 0;

	switch ((enum connection_state)c->state) {
	case CONNECTION_ASKED: return w | EV_CLOSED; /* who closes its end has gone */
	case CONNECTION_OPEN: return may_read(c) ? w | EV_READ : w;
	case CONNECTION_HEAD:
	case CONNECTION_BODY:
	case CONNECTION_LINGER: return w | EV_READ;
	case CONNECTION_CLOSING: return c->farewell || c->backlog ? w : w | EV_READ;
	case CONNECTION_GONE: return 0;
	}
	return 0;
}

static void resume(void *arg)
{
	struct connection *c = arg;

	c->is_resuming = false;
	websocket_resume(c);
}

/* In the next turn: who settles it may be in the middle of its bytes. */
static void resume_later(struct connection *c)
{
	if (c->is_resuming || (c->state == CONNECTION_OPEN && connection_is_ahead(c)))
		return;
	c->is_resuming = true;
	loop_defer(c->edge->loop, resume, c);
}

void connection_settle(struct connection *c)
{
	short now = c->watched, want = wanted(c);

	if (c->backlog != NULL)
		resume_later(c);
	if (now == want || c->state == CONNECTION_GONE)
		return;
	if (c->state == CONNECTION_OPEN && now & EV_READ && !(want & EV_READ))
		metric_add(c->edge->counts.held_back, 1);
	c->watched = (uint8_t)want;
	event_del(&c->ready);
	event_assign(&c->ready, loop_base(c->edge->loop), event_get_fd(&c->ready),
		     want | EV_PERSIST, on_ready, c);
	if (want)
		event_add(&c->ready, NULL);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	if (what & EV_WRITE)
		write_some(c);
	if (what & EV_CLOSED && c->state == CONNECTION_ASKED)
		hang_up(c);
	if (what & EV_READ && c->state != CONNECTION_GONE)
		read_some(c);
}

static void read_some(struct connection *c)
{
	size_t most = holds_too_much(c->edge) ? SMALL_READ : EDGE_SCRATCH;
	ssize_t n = recv(event_get_fd(&c->ready), c->edge->scratch, most, 0);
	struct span in = span_of(c->edge->scratch, n > 0 ? (size_t)n : 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0) {
		hang_up(c);
		return;
	}
	c->heard_ms = loop_now(c->edge->loop);
	c->is_pinged = false;
	switch ((enum connection_state)c->state) {
	case CONNECTION_HEAD:
	case CONNECTION_BODY: handshake_feed(c, in); break;
	case CONNECTION_OPEN:
	case CONNECTION_CLOSING: websocket_feed(c, in); break;
	case CONNECTION_ASKED:
	case CONNECTION_LINGER:
	case CONNECTION_GONE: break;
	}
}

/* The client's end is closed. */
static void hang_up(struct connection *c)
{
	if (c->state == CONNECTION_OPEN)
		websocket_lost(c, FRAME_CODE_ABNORMAL, "Connection Closed Abnormally");
	connection_cut(c);
}

void connection_push(struct connection *c, struct blob *b)
{
	assert(c->state != CONNECTION_GONE);
	if (c->outbox == NULL)
		c->wrote_ms = loop_now(c->edge->loop);
	c->edge->outbox_bytes -= outbox_memory(c->outbox);
	outbox_push(&c->outbox, b);
	c->edge->outbox_bytes += outbox_memory(c->outbox);
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->next_dirty = c->edge->dirty;
	c->edge->dirty = c;
}

bool connection_has_room(const struct connection *c)
{
	const struct edge_conf *conf = &c->edge->conf;
	size_t held = outbox_held(c->outbox);

	return held < (size_t)conf->outbox_bytes &&
	       (held <= SMALL_OUTBOX ||
		c->edge->outbox_bytes <= (uint64_t)conf->outbox_memory);
}

/* Our last words are with the kernel. A slow reader had the time that it needed until here. */
static void linger(struct connection *c)
{
	shutdown(event_get_fd(&c->ready), SHUT_WR);
	c->deadline_ms = loop_now(c->edge->loop) + LINGER_MS;
}

static void write_some(struct connection *c)
{
	size_t wrote = 0, before = outbox_memory(c->outbox);
	enum err e = outbox_write(&c->outbox, event_get_fd(&c->ready), &wrote);

	c->edge->outbox_bytes -= before - outbox_memory(c->outbox);
	if (wrote > 0) {
		c->wrote_ms = loop_now(c->edge->loop);
		metric_add(c->edge->counts.bytes_out, (int64_t)wrote);
	}
	if (e == ERR_DOWN) {
		hang_up(c);
		return;
	}
	if (e == OK && c->state == CONNECTION_LINGER)
		linger(c);
	/* Mostly all is written, and the socket was only read: then nothing else is to be watched. */
	if (c->outbox != NULL || c->watched != EV_READ)
		connection_settle(c);
}

void connections_flush(void *arg)
{
	struct edge *edge = arg;

	while (edge->dirty != NULL) {
		struct connection *c = edge->dirty;

		edge->dirty = c->next_dirty;
		c->is_dirty = false;
		if (c->state != CONNECTION_GONE)
			write_some(c);
	}
}

void connection_finish(struct connection *c)
{
	if (c->state == CONNECTION_LINGER || c->state == CONNECTION_GONE)
		return;
	connection_enter(c, CONNECTION_LINGER, 0);
	if (c->outbox == NULL)
		linger(c);
}

void connection_cut(struct connection *c)
{
	if (c->state == CONNECTION_GONE)
		return;
	event_del(&c->ready);
	close(event_get_fd(&c->ready));
	c->edge->sockets--;
	if (c->address != NULL)
		address_limit_leave(c->edge->address_limit, c->address,
				    loop_now(c->edge->loop));
	c->edge->outbox_bytes -= outbox_memory(c->outbox);
	outbox_close(&c->outbox);
	blob_unref(c->farewell);
	c->farewell = NULL;
	websocket_drop(c);
	connection_enter(c, CONNECTION_GONE, 0);
	if (c->handshake != NULL)
		verdict_forget(c);
	if (c->lane.first == NULL)
		free_later(c);
}

/* The last word, if the socket takes it: there is nobody left who could wait for an answer. */
static void say_last(struct connection *c, uint16_t code, const char *reason)
{
	struct blob *frame;

	if (c->outbox != NULL)
		return; /* it would stand in the middle of a frame */
	frame = frame_close(code, span_str(reason));
	(void)send(event_get_fd(&c->ready), frame->p, frame->n,
		   MSG_NOSIGNAL | MSG_DONTWAIT);
	blob_unref(frame);
}

void connection_abandon(struct connection *c)
{
	if (c->state == CONNECTION_OPEN)
		say_last(c, FRAME_CODE_RESTART, RESTART);
	c->edge->held_bytes -= c->lane.bytes;
	lane_close(&c->lane);
	if (c->state == CONNECTION_GONE)
		free_later(c);
	else
		connection_cut(c);
}

void connection_event_added(struct connection *c, uint32_t bytes)
{
	c->edge->held_bytes += bytes;
	connection_settle(c);
}

void connection_event_done(struct connection *c, uint32_t bytes)
{
	c->edge->held_bytes -= bytes;
	if (c->state == CONNECTION_GONE && c->lane.first == NULL)
		free_later(c);
	else if (c->state == CONNECTION_CLOSING)
		websocket_answered(c);
	else
		connection_settle(c);
}

static void free_now(void *arg)
{
	struct connection *c = arg;

	registry_remove(c->edge->registry, c->slot);
	lane_close(&c->lane);
	handshake_free(c->handshake);
	free(c);
}

/* Nobody's callback frees what its caller still uses. */
static void free_later(struct connection *c)
{
	if (c->is_freed)
		return;
	c->is_freed = true;
	loop_defer(c->edge->loop, free_now, c);
}

static void tick(void *arg, struct connection *c)
{
	connection_tick(c, *(int64_t *)arg);
}

/* A tenth of the slots each time: each connection about once a second. */
void connections_tick(void *arg)
{
	struct edge *edge = arg;
	int64_t now = loop_now(edge->loop);
	uint32_t slots = registry_slots(edge->registry);
	uint32_t step = slots / (1000 / CONNECTIONS_TICK_MS) + 1;

	if (edge->last_ticked >= slots)
		edge->last_ticked = 0;
	registry_each(edge->registry, edge->last_ticked, edge->last_ticked + step, tick,
		      &now);
	edge->last_ticked += step;
	if (edge->address_limit != NULL)
		address_limit_tick(edge->address_limit, now);
}

static void connection_tick(struct connection *c, int64_t now)
{
	if (c->outbox != NULL && now - c->wrote_ms > c->edge->conf.stall_ms) {
		char id[ID_TEXT];

		metric_add(c->edge->counts.slow, 1);
		log_info_flood("connection.stalled", S("id", id_text(&c->lane.id, id)),
			       S("why", "client does not read: queued messages are lost"),
			       S("hint", "--stall-timeout"));
		if (c->state == CONNECTION_OPEN)
			websocket_lost(c, FRAME_CODE_ABNORMAL,
				       "The client takes nothing");
		connection_cut(c);
		return;
	}
	if (c->state == CONNECTION_OPEN) {
		websocket_tick(c, now);
		return;
	}
	if (c->state == CONNECTION_ASKED)
		verdict_tick(c, now);
	if (c->deadline_ms == 0 || now < c->deadline_ms)
		return;
	if (c->state < CONNECTION_OPEN) {
		verdict_late(c);
	} else if (c->farewell != NULL) {
		websocket_farewell(c);
	} else {
		if (c->state == CONNECTION_CLOSING)
			metric_add(c->edge->counts.unanswered, 1);
		connection_cut(c);
	}
}

/* API Gateway's clients know 1001; the others can tell a restart from other ends. */
static uint16_t drain_code(const struct edge *edge, const char **reason)
{
	bool aws = edge->conf.profile == EDGE_PROFILE_AWS;

	*reason = aws ? "Going away" : RESTART;
	return aws ? FRAME_CODE_GOING_AWAY : FRAME_CODE_RESTART;
}

bool connection_drain(struct connection *c)
{
	const char *reason;
	uint16_t code = drain_code(c->edge, &reason);

	if (c->state == CONNECTION_OPEN) {
		websocket_retire(c, code, span_str(reason));
		return true;
	}
	return c->state < CONNECTION_OPEN && verdict_drain(c);
}

void connection_expel(struct connection *c)
{
	const char *reason;
	uint16_t code = drain_code(c->edge, &reason);

	if (c->state == CONNECTION_OPEN) {
		say_last(c, code, reason);
		websocket_lost(c, code, reason);
	}
	connection_cut(c);
}
