/*
 * The conversation, in the order of happening: ws_client_open connects and shakes hands,
 * ws_client_send masks a frame, ws_client_take reads frames until a message is whole.
 */
#include "cli/client/ws_client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/client/stream.h"
#include "ws/client_handshake.h"
#include "ws/frame.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
	HEAD_MAX = 16 << 10, /* of the handshake's response */
	MESSAGE_MAX = 1 << 20,
};

struct ws_client {
	struct stream stream;
	int64_t timeout_ms;
	bool endless;  /* a message may take any time to come */
	uint8_t *body; /* of the message that is being put together */
	size_t body_n;
};

static int shake_hands(struct ws_client *c, const char *host, const char *target,
		       const char *user_agent);
static enum err send_frame(struct ws_client *c, unsigned op, struct span body);
static enum err read_frame(struct ws_client *c, struct frame *out);
static enum err read_body(struct ws_client *c, uint64_t n);
static enum err take_control(struct ws_client *c, const struct frame *f,
			     struct ws_message *out, bool *closed);
static enum err take_close(struct ws_client *c, struct span body, struct ws_message *out);

static void make_random(uint8_t *p, size_t n)
{
	if (getrandom(p, n, 0) != (ssize_t)n)
		abort();
}

struct ws_client *ws_client_open(const char *url, const char *user_agent,
				 int64_t timeout_ms, int *status)
{
	static const char scheme[] = "ws://";
	const char *host = url + strlen(scheme);

	*status = 0;
	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return NULL;

	size_t n = strcspn(host, "/");
	char *place = xasprintf("%.*s", (int)n, host);
	struct ws_client *c = xcalloc(1, sizeof *c);
	c->timeout_ms = timeout_ms;
	if (stream_open(&c->stream, place, clock_ms() + timeout_ms) == OK)
		*status = shake_hands(c, place, host[n] ? host + n : "/", user_agent);
	free(place);
	if (*status == 101)
		return c;
	ws_client_free(c);
	return NULL;
}

void ws_client_wait(struct ws_client *c)
{
	c->endless = true;
	stream_probe(&c->stream);
}

void ws_client_free(struct ws_client *c)
{
	if (c == NULL)
		return;
	stream_close(&c->stream);
	free(c->body);
	free(c);
}

/* The response up to the empty line behind its head, byte by byte: frames may follow it. */
static enum err read_response(struct ws_client *c, const struct client_handshake *h,
			      unsigned *status)
{
	char head[HEAD_MAX];
	size_t used;

	for (size_t n = 0; n < sizeof head; n++) {
		enum err e = stream_take(&c->stream, head + n, 1);

		if (e == OK && head[n] != '\n')
			continue;
		if (e == OK)
			e = client_handshake_response(h, span_of(head, n + 1), status,
						      &used);
		if (e != ERR_AGAIN)
			return e;
	}
	return ERR_TOOBIG;
}

/* Returns the response's status, 101 only when all of it was right; 0 when there was no right one. */
static int shake_hands(struct ws_client *c, const char *host, const char *target,
		       const char *user_agent)
{
	struct client_handshake h = {host, target, user_agent, {0}};
	uint8_t nonce[ACCEPT_KEY_NONCE];
	unsigned status = 0;

	make_random(nonce, sizeof nonce);
	accept_key_request(nonce, h.key);

	char *request = client_handshake_request(&h);
	enum err e = stream_send(&c->stream, request, strlen(request));

	free(request);
	if (e == OK)
		e = read_response(c, &h, &status);
	return e == OK || e == ERR_DENIED ? (int)status : 0;
}

/* Messages out. */

enum err ws_client_send(struct ws_client *c, enum ws_kind kind, struct span body)
{
	c->stream.deadline = clock_ms() + c->timeout_ms;
	return send_frame(c, kind, body);
}

static enum err send_frame(struct ws_client *c, unsigned op, struct span body)
{
	uint8_t *out = xmalloc(FRAME_HEADER_MOST + body.n);
	uint8_t mask[4];

	make_random(mask, sizeof mask);

	size_t n = frame_head_masked(out, op, true, body.n, mask);

	frame_unmask(out + n, body.p, body.n, mask, 0);

	enum err e = stream_send(&c->stream, out, n + body.n);

	free(out);
	return e;
}

/* Messages in. */

enum err ws_client_take(struct ws_client *c, struct ws_message *out)
{
	unsigned kind = FRAME_CONTINUATION;

	c->stream.deadline = c->endless ? STREAM_ENDLESS : clock_ms() + c->timeout_ms;
	c->body_n = 0;
	for (;;) {
		struct frame f;
		bool closed = false;
		enum err e = read_frame(c, &f);

		if (e == OK && f.op >= FRAME_CLOSE)
			e = take_control(c, &f, out, &closed);
		else if (e == OK &&
			 (f.op == FRAME_CONTINUATION) == (kind == FRAME_CONTINUATION))
			e = ERR_MALFORMED; /* nothing to go on with, or something not at its end */
		else if (e == OK)
			e = read_body(c, f.payload);
		if (e != OK || closed)
			return e;
		if (f.op >= FRAME_CLOSE)
			continue;
		kind = f.op == FRAME_CONTINUATION ? kind : f.op;
		if (!f.fin)
			continue;
		*out = (struct ws_message){.kind = kind,
					   .body = span_of(c->body, c->body_n)};
		return OK;
	}
}

/* The header alone, byte by byte: what follows it is the payload. */
static enum err read_frame(struct ws_client *c, struct frame *out)
{
	uint8_t head[FRAME_HEAD_MOST];
	enum err e = ERR_AGAIN;

	for (size_t n = 0; e == ERR_AGAIN && n < sizeof head; n++) {
		e = stream_take(&c->stream, head + n, 1);
		if (e == OK)
			e = frame_parse_server(span_of(head, n + 1), out);
	}
	return e;
}

/* Appends to the message that is being put together. */
static enum err read_body(struct ws_client *c, uint64_t n)
{
	if (n > MESSAGE_MAX - c->body_n)
		return ERR_TOOBIG;
	c->body = xrealloc(c->body, c->body_n + n + 1);

	enum err e = stream_take(&c->stream, c->body + c->body_n, n);
	if (e == OK)
		c->body_n += n;
	return e;
}

static enum err take_control(struct ws_client *c, const struct frame *f,
			     struct ws_message *out, bool *closed)
{
	uint8_t body[FRAME_CONTROL_MOST];
	enum err e = stream_take(&c->stream, body, (size_t)f->payload);

	if (e != OK)
		return e;
	if (f->op == FRAME_PING)
		return send_frame(c, FRAME_PONG, span_of(body, (size_t)f->payload));
	if (f->op == FRAME_PONG)
		return OK;
	*closed = true;
	return take_close(c, span_of(body, (size_t)f->payload), out);
}

static enum err take_close(struct ws_client *c, struct span body, struct ws_message *out)
{
	if (body.n == 1)
		return ERR_MALFORMED;

	size_t code = body.n ? 2 : 0;

	c->body_n = 0;
	c->body = xrealloc(c->body, FRAME_CONTROL_MOST);
	if (body.n > code)
		memcpy(c->body, body.p + code, body.n - code);
	*out = (struct ws_message){
		.kind = WS_CLOSE,
		.body = span_of(c->body, body.n - code),
		.close_code = frame_close_code(body),
	};
	/* RFC 6455 5.5.1: a close is answered by a close, typically with its status code. */
	enum err e = send_frame(c, FRAME_CLOSE, span_of(body.p, code));
	return e == ERR_DOWN ? OK : e; /* it may be gone already */
}
