/*
 * A WebSocket's talk: messages go up as events, frames come down into the outbox.
 *
 *   websocket_feed   bytes → messages → on_message, on_control
 *   depart           the end, by the client's close frame or its fault: our close
 *                    frame follows the answers to what it had said before
 *   say_goodbye      the one place that makes the disconnect event
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
static void on_close(struct connection *c, const struct message *m);
static void parse(struct connection *c, struct span *in);
static void keep_reader(struct connection *c, struct message_reader *r);
static void drop_reader(struct connection *c, struct message_reader *r);
static void depart(struct connection *c, struct blob *close, uint16_t code,
		   struct span reason);
static void say_goodbye(struct connection *c, uint16_t code, struct span reason);

/* A connection over the memory budget may still have messages of this size. */
enum { SMALL_MESSAGE = 16 * 1024 };

void websocket_open(struct connection *c)
{
	c->lane.is_open = true;
	c->active_ms = loop_now(c->edge->loop);
	metric_add(c->edge->counts.opened, 1);
	connection_enter(c, CONNECTION_OPEN, 0);
}

/* What breaks the protocol is told why, and not listened to any more. */
static void fail(struct connection *c, uint16_t code, const char *why)
{
	char id[ID_TEXT];

	metric_add(c->edge->counts.broken, 1);
	log_info_flood("message.refused", S("id", id_text(&c->lane.id, id)),
		       I("close", code), S("why", why));
	if (c->state == CONNECTION_OPEN)
		depart(c, frame_close(code, span_str(why)), code, span_str(why));
	else
		connection_finish(c); /* our close frame has gone already */
}

static bool is_listening(const struct connection *c)
{
	return c->state == CONNECTION_OPEN ||
	       (c->state == CONNECTION_CLOSING && c->farewell == NULL);
}

/* Pongs are written at the end of the turn: no more than so much of them waits for that. */
static bool has_pongs(const struct connection *c)
{
	return c->is_dirty && outbox_held(c->outbox) > SMALL_MESSAGE;
}

/* After our close frame nothing costs anything. */
static bool may_parse(const struct connection *c)
{
	return is_listening(c) && (c->state != CONNECTION_OPEN ||
				   (!connection_is_ahead(c) && !has_pongs(c)));
}

static void keep_rest(struct connection *c, struct span rest)
{
	c->edge->held_bytes -= backlog_memory(c->backlog);
	backlog_set(&c->backlog, is_listening(c) ? rest : span_of(NULL, 0));
	c->edge->held_bytes += backlog_memory(c->backlog);
}

void websocket_feed(struct connection *c, struct span in)
{
	assert(c->backlog == NULL);
	parse(c, &in);
	if (in.n == 0)
		return;
	keep_rest(c, in);
	connection_settle(c);
}

void websocket_resume(struct connection *c)
{
	struct span in = backlog_span(c->backlog);

	if (c->backlog == NULL)
		return;
	parse(c, &in);
	keep_rest(c, in);
	if (c->is_retiring && c->backlog == NULL && c->state == CONNECTION_OPEN)
		connection_drain(c);
	else
		connection_settle(c);
}

void websocket_drop(struct connection *c)
{
	keep_rest(c, span_of(NULL, 0));
	if (c->reader != NULL)
		drop_reader(c, c->reader);
}

static void parse(struct connection *c, struct span *in)
{
	struct message_reader fresh = {0};
	struct message_reader *r = c->reader ? c->reader : &fresh;
	size_t held = message_reader_bytes(r);
	enum err e = OK;

	while (e == OK && in->n > 0 && may_parse(c)) {
		struct message m;

		e = message_read(r, in, &c->edge->message_limits, &m);
		if (e == OK)
			on_message(c, &m);
		else if (e != ERR_AGAIN)
			fail(c, m.code, m.why);
	}
	c->edge->held_bytes += message_reader_bytes(r) - held;
	if (message_reader_bytes(r) > SMALL_MESSAGE &&
	    c->edge->held_bytes > (uint64_t)c->edge->conf.held_bytes &&
	    c->state == CONNECTION_OPEN) {
		metric_add(c->edge->counts.shed, 1);
		fail(c, FRAME_CODE_TRY_LATER,
		     "No memory for large messages now: try later");
	}
	keep_reader(c, r);
}

/* Only a message that is under way has a reader. */
static void keep_reader(struct connection *c, struct message_reader *r)
{
	bool keep = !message_reader_is_idle(r) && is_listening(c);

	if (keep && r != c->reader) {
		c->reader = xmalloc(sizeof *r);
		*c->reader = *r;
		c->edge->held_bytes += mem_chunk(sizeof *r);
	}
	if (!keep)
		drop_reader(c, r);
}

static void drop_reader(struct connection *c, struct message_reader *r)
{
	c->edge->held_bytes -= message_reader_bytes(r);
	message_reader_close(r);
	if (r == c->reader) {
		c->edge->held_bytes -= mem_chunk(sizeof *r);
		free(c->reader);
		c->reader = NULL;
	}
}

/* Takes m->body. */
static void on_message(struct connection *c, struct message *m)
{
	struct edge *edge = c->edge;

	switch (m->kind) {
	case MESSAGE_TEXT:
	case MESSAGE_BINARY:
		if (c->state != CONNECTION_OPEN)
			break; /* after our close frame nothing counts */
		if (m->kind == MESSAGE_BINARY &&
		    edge->conf.binary == EDGE_BINARY_REFUSE) {
			fail(c, FRAME_CODE_UNACCEPTABLE,
			     "Binary messages are not taken here");
			break;
		}
		c->active_ms = loop_now(edge->loop);
		metric_add(edge->counts.messages_in, 1);
		metric_add(edge->counts.bytes_in, (int64_t)m->body->n);
		connection_event_added(c, uplink_message(edge->uplink, &c->lane, m->body,
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

/* RFC 6455 5.5.1: answer with the code that was received, and close the socket. */
static void on_close(struct connection *c, const struct message *m)
{
	if (c->state == CONNECTION_OPEN) {
		struct span reason =
			m->code == FRAME_CODE_NONE
				? span_str("Client-side close frame status not set")
				: m->reason;

		depart(c, frame_close(m->code, span_of(NULL, 0)), m->code, reason);
	} else {
		connection_finish(c);
	}
}

/*
 * The client has said its last. What it said before is still answered, and then comes
 * our close frame; nothing is read meanwhile. Takes close.
 */
static void depart(struct connection *c, struct blob *close, uint16_t code,
		   struct span reason)
{
	c->farewell = close;
	say_goodbye(c, code, reason);
	connection_enter(c, CONNECTION_CLOSING, c->edge->conf.close_ms);
	websocket_answered(c);
}

void websocket_answered(struct connection *c)
{
	/* The disconnect is its last event; before it come messages, or even the connect. */
	bool waits = c->lane.first != NULL &&
		     c->lane.first->kind != GATEPOST__EVENT__KIND__DISCONNECT;

	if (c->farewell != NULL && !waits)
		websocket_farewell(c);
}

void websocket_farewell(struct connection *c)
{
	connection_push(c, c->farewell);
	c->farewell = NULL;
	connection_finish(c);
}

bool websocket_is_answering(const struct connection *c)
{
	return c->state == CONNECTION_OPEN || c->farewell != NULL;
}

struct blob *websocket_frame(const Gatepost__Frame *f)
{
	return frame_blob(f->binary ? FRAME_BINARY : FRAME_TEXT, span_from(f->body));
}

void websocket_send(struct connection *c, struct blob *frame)
{
	c->active_ms = loop_now(c->edge->loop);
	metric_add(c->edge->counts.frames_out, 1);
	connection_push(c, frame);
}

void websocket_close(struct connection *c, uint16_t code, struct span reason)
{
	connection_push(c, frame_close(code, reason));
	say_goodbye(c, code, reason);
	connection_enter(c, CONNECTION_CLOSING, c->edge->conf.close_ms);
}

void websocket_retire(struct connection *c, uint16_t code, struct span reason)
{
	if (c->backlog != NULL && !c->is_retiring) {
		c->is_retiring = true;
		c->deadline_ms = loop_now(c->edge->loop) + c->edge->conf.close_ms;
		connection_settle(c);
		return;
	}
	keep_rest(c, span_of(NULL, 0));
	if (c->lane.first == NULL)
		websocket_close(c, code, reason);
	else
		depart(c, frame_close(code, reason), code, reason);
}

void websocket_lost(struct connection *c, uint16_t code, const char *reason)
{
	say_goodbye(c, code, span_str(reason));
}

/* One disconnect for each connect, whoever ends it. */
static void say_goodbye(struct connection *c, uint16_t code, struct span reason)
{
	if (!c->lane.is_open)
		return;
	c->lane.is_open = false;
	metric_add(c->edge->counts.closed, 1);
	connection_event_added(
		c, uplink_disconnect(c->edge->uplink, &c->lane, code, reason));
}

void websocket_tick(struct connection *c, int64_t now)
{
	const struct edge_conf *conf = &c->edge->conf;
	int64_t silent = now - c->heard_ms;

	if (c->is_retiring && now >= c->deadline_ms) {
		connection_drain(c);
	} else if (c->ends_ms != 0 && now >= c->ends_ms) {
		bool expired = c->ends_code == WEBSOCKET_EXPIRED;

		websocket_close(c, c->ends_code,
				span_str(expired ? "Token expired" : "Going away"));
	} else if (conf->idle_ms > 0 && now - c->active_ms > conf->idle_ms) {
		websocket_close(c, FRAME_CODE_GOING_AWAY, span_str("Going away"));
	} else if (!(c->watched & EV_READ)) {
		c->heard_ms = now; /* we do not listen: its silence is ours */
	} else if (c->is_pinged && silent > conf->ping_ms + conf->pong_ms) {
		metric_add(c->edge->counts.silent, 1);
		websocket_lost(c, FRAME_CODE_ABNORMAL, "No pong");
		connection_cut(c);
	} else if (!c->is_pinged && silent > conf->ping_ms) {
		connection_push(c, frame_blob(FRAME_PING, span_of(NULL, 0)));
		c->is_pinged = true;
	}
}
