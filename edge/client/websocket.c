/*
 * A WebSocket: its messages become events, and frames for it go into the outbox.
 *
 *   receive          bytes → messages → on_message, on_close
 *   end              the close frame: at once, or after the answers to the client's
 *                    earlier messages
 */
#include "edge/client/websocket.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/client/backlog.h"
#include "edge/link/uplink.h"
#include "proto/batch.h"

#include <assert.h>
#include <stdlib.h>

static void on_message(struct connection *c, struct message *m);
static void drain(struct connection *c);
static void on_close(struct connection *c, const struct message *m);
static void parse(struct connection *c, struct span *in);
static void keep_reader(struct connection *c, struct message_reader *r);
static void drop_reader(struct connection *c, struct message_reader *r);
static void receive(struct connection *c, struct span in);
static void resume(struct connection *c);
static void tick(struct connection *c, int64_t now);
static void end(struct connection *c, const struct end *how);
static void answered(struct connection *c);
static void forget(struct connection *c);

static const struct connection_protocol protocol = {
	.receive = receive,
	.tick = tick,
	.end = end,
	.answered = answered,
	.forget = forget,
};

/* Messages up to this size are accepted even over the memory budget. */
enum { SMALL_MESSAGE = 16 * 1024 };

void websocket_open(struct connection *c)
{
	c->protocol = &protocol;
	c->lane.is_open = true;
	c->active_ms = loop_now(c->clients->loop);
	metric_add(c->clients->counts.opened, 1);
	connection_set_state(c, CONNECTION_OPEN, 0);
}

/* A client that breaks the protocol gets a close frame with the reason; nothing more is read. */
static void fail(struct connection *c, const struct message *m)
{
	connection_end(c, CAUSE_BAD_MESSAGE,
		       &(struct end_words){m->code, span_str(m->why)});
}

static bool is_listening(const struct connection *c)
{
	return c->state == CONNECTION_OPEN ||
	       (c->state == CONNECTION_CLOSING && c->pending_close == NULL);
}

/* Pongs are written at the end of the turn: limit how many are queued until then. */
static bool has_pongs(const struct connection *c)
{
	return c->is_dirty && outbox_held(c->outbox) > SMALL_MESSAGE;
}

/* After our close frame messages are dropped, so no limit applies. */
static bool may_parse(const struct connection *c)
{
	return is_listening(c) && (c->state != CONNECTION_OPEN ||
				   (!connection_is_ahead(c) && !has_pongs(c)));
}

static void keep_rest(struct connection *c, struct span rest)
{
	c->clients->held_bytes -= backlog_memory(c->backlog);
	backlog_set(&c->backlog, is_listening(c) ? rest : span_of(NULL, 0));
	c->clients->held_bytes += backlog_memory(c->backlog);
}

/* Bytes beyond the limits become a backlog; while there is one nothing is read. */
static void receive(struct connection *c, struct span in)
{
	if (in.n == 0) {
		resume(c);
		return;
	}
	assert(c->backlog == NULL);
	parse(c, &in);
	if (in.n == 0)
		return;
	keep_rest(c, in);
	connection_update(c);
}

/* The limits may allow some of the backlog again. */
static void resume(struct connection *c)
{
	struct span in = backlog_span(c->backlog);

	parse(c, &in);
	keep_rest(c, in);
	if (c->is_close_pending && c->backlog == NULL && c->state == CONNECTION_OPEN)
		drain(c);
	else
		connection_update(c);
}

static void forget(struct connection *c)
{
	keep_rest(c, span_of(NULL, 0));
	if (c->reader != NULL)
		drop_reader(c, c->reader);
	blob_unref(c->pending_close);
	c->pending_close = NULL;
}

static void parse(struct connection *c, struct span *in)
{
	struct message_reader fresh = {0};
	struct message_reader *r = c->reader ? c->reader : &fresh;
	size_t held = message_reader_bytes(r);
	enum err e = OK;

	while (e == OK && in->n > 0 && may_parse(c)) {
		struct message m;

		e = message_read(r, in, &c->clients->message_limits, &m);
		if (e == OK)
			on_message(c, &m);
		else if (e != ERR_AGAIN)
			fail(c, &m);
	}
	c->clients->held_bytes += message_reader_bytes(r) - held;
	if (message_reader_bytes(r) > SMALL_MESSAGE &&
	    c->clients->held_bytes > (uint64_t)c->clients->conf.held_bytes &&
	    c->state == CONNECTION_OPEN) {
		metric_add(c->clients->counts.shed, 1);
		connection_end(c, CAUSE_NO_MEMORY, NULL);
	}
	keep_reader(c, r);
}

/* Only an incomplete message has a reader. */
static void keep_reader(struct connection *c, struct message_reader *r)
{
	bool keep = !message_reader_is_idle(r) && is_listening(c);

	if (keep && r != c->reader) {
		c->reader = xmalloc(sizeof *r);
		*c->reader = *r;
		c->clients->held_bytes += mem_chunk(sizeof *r);
	}
	if (!keep)
		drop_reader(c, r);
}

static void drop_reader(struct connection *c, struct message_reader *r)
{
	c->clients->held_bytes -= message_reader_bytes(r);
	message_reader_close(r);
	if (r == c->reader) {
		c->clients->held_bytes -= mem_chunk(sizeof *r);
		free(c->reader);
		c->reader = NULL;
	}
}

/* Takes m->body. */
static void on_message(struct connection *c, struct message *m)
{
	struct clients *clients = c->clients;

	switch (m->kind) {
	case MESSAGE_TEXT:
	case MESSAGE_BINARY:
		if (c->state != CONNECTION_OPEN)
			break; /* after our close frame messages are dropped */
		if (m->kind == MESSAGE_BINARY &&
		    clients->conf.binary == EDGE_BINARY_REFUSE) {
			connection_end(c, CAUSE_BINARY, NULL);
			break;
		}
		c->active_ms = loop_now(clients->loop);
		metric_add(clients->counts.messages_in, 1);
		metric_add(clients->counts.bytes_in, (int64_t)m->body->n);
		connection_event_added(c,
				       uplink_message(clients->uplink, &c->lane, m->body,
						      m->kind == MESSAGE_BINARY));
		return;
	case MESSAGE_PING:
		if (c->state == CONNECTION_OPEN)
			connection_push(c, frame_blob(FRAME_PONG, blob_span(m->body)));
		break;
	case MESSAGE_PONG: break;
	case MESSAGE_CLOSE: on_close(c, m); break;
	}
	blob_unref(m->body);
}

static void on_close(struct connection *c, const struct message *m)
{
	bool none = m->code == FRAME_CODE_NONE;
	struct span none_reason = span_str("Client-side close frame status not set");

	connection_end(c, CAUSE_CLOSE_FRAME,
		       &(struct end_words){m->code, none ? none_reason : m->reason});
}

/* ---- the end ---- */

static void drain(struct connection *c)
{
	struct end_words words = connection_drain_words(c->clients);

	connection_end(c, CAUSE_DRAIN, &words);
}

/* RFC 6455 5.5.1: answer with the code that was received. */
static struct blob *close_frame(const struct end *how)
{
	return frame_close(how->code, how->is_reply ? span_of(NULL, 0) : how->reason);
}

static void close_now(struct connection *c, const struct end *how)
{
	connection_push(c, close_frame(how));
	connection_disconnect(c, how);
	connection_set_state(c, CONNECTION_CLOSING, c->clients->conf.close_ms);
}

/*
 * The client has closed. Its earlier messages are still answered, then our close frame is
 * sent; nothing is read meanwhile.
 */
static void close_behind(struct connection *c, const struct end *how)
{
	c->pending_close = close_frame(how);
	connection_disconnect(c, how);
	connection_set_state(c, CONNECTION_CLOSING, c->clients->conf.close_ms);
	answered(c);
}

static void close_when_parsed(struct connection *c, const struct end *how)
{
	if (c->backlog != NULL && !c->is_close_pending) {
		c->is_close_pending = true;
		c->deadline_ms = loop_now(c->clients->loop) + c->clients->conf.close_ms;
		connection_update(c);
		return;
	}
	keep_rest(c, span_of(NULL, 0));
	if (c->lane.first == NULL)
		close_now(c, how);
	else
		close_behind(c, how);
}

static void end(struct connection *c, const struct end *how)
{
	if (how->step == END_CLOSE) {
		close_now(c, how);
	} else if (how->step == END_CLOSE_BEHIND) {
		close_behind(c, how);
	} else if (how->step == END_DRAIN) {
		close_when_parsed(c, how);
	} else { /* END_CLOSE_NOW */
		connection_push(c, c->pending_close);
		c->pending_close = NULL;
		connection_linger(c);
	}
}

static void answered(struct connection *c)
{
	/* The disconnect is its last event; messages, or even the connect, may be before it. */
	bool waits = c->lane.first != NULL &&
		     c->lane.first->kind != GATEPOST__EVENT__KIND__DISCONNECT;

	if (!waits)
		connection_end(c, CAUSE_ANSWERED, NULL);
}

bool websocket_is_answering(const struct connection *c)
{
	return c->state == CONNECTION_OPEN || c->pending_close != NULL;
}

struct blob *websocket_frame(const Gatepost__Frame *f)
{
	return frame_blob(f->binary ? FRAME_BINARY : FRAME_TEXT, span_from(f->body));
}

void websocket_send(struct connection *c, struct blob *frame)
{
	c->active_ms = loop_now(c->clients->loop);
	metric_add(c->clients->counts.frames_out, 1);
	connection_push(c, frame);
}

/* Pings, dead peers, idle ones. Only in OPEN. */
static void tick(struct connection *c, int64_t now)
{
	const struct clients_conf *conf = &c->clients->conf;
	int64_t silent = now - c->heard_ms;

	if (c->is_close_pending && now >= c->deadline_ms) {
		drain(c);
	} else if (c->ends_ms != 0 && now >= c->ends_ms) {
		connection_end(c, (enum end_cause)c->ends_cause, NULL);
	} else if (conf->idle_ms > 0 && now - c->active_ms > conf->idle_ms) {
		connection_end(c, CAUSE_IDLE, NULL);
	} else if (!(c->watched & EV_READ)) {
		c->heard_ms = now; /* we do not read: it is not silent */
	} else if (c->is_pinged && silent > conf->ping_ms + conf->pong_ms) {
		connection_end(c, CAUSE_NO_PONG, NULL);
	} else if (!c->is_pinged && silent > conf->ping_ms) {
		connection_push(c, frame_blob(FRAME_PING, span_of(NULL, 0)));
		c->is_pinged = true;
	}
}
