/*
 * The conversation, in the order of happening: ws_client_open connects and shakes hands,
 * ws_client_send masks a frame, ws_client_take reads frames until a message is whole.
 */
#include "cli/client/ws_client.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/client/ws_handshake.h"

#include <stdlib.h>
#include <sys/random.h>

enum {
	OP_CONTINUATION = 0,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10,
	CONTROL_MAX = 125,
	MESSAGE_MAX = 1 << 20,
	NO_CODE = 1005,
};

struct ws_client {
	struct stream stream;
	int64_t timeout_ms;
	uint8_t *body; /* of the message that is being put together */
	size_t body_n;
};

struct frame {
	unsigned op;
	bool fin;
	uint64_t n;
};

static enum err send_frame(struct ws_client *c, unsigned op, struct span body);
static enum err read_frame(struct ws_client *c, struct frame *out);
static enum err read_body(struct ws_client *c, uint64_t n);
static enum err take_control(struct ws_client *c, const struct frame *f,
			     struct ws_message *out, bool *closed);
static enum err take_close(struct ws_client *c, struct span body, struct ws_message *out);

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
	struct ws_request r = {place, host[n] ? host + n : "/", user_agent};
	if (stream_open(&c->stream, place, clock_ms() + timeout_ms) == OK)
		*status = ws_handshake(&c->stream, &r);
	free(place);
	if (*status == 101)
		return c;
	ws_client_free(c);
	return NULL;
}

void ws_client_free(struct ws_client *c)
{
	if (c == NULL)
		return;
	stream_close(&c->stream);
	free(c->body);
	free(c);
}

/* Messages out. */

enum err ws_client_send(struct ws_client *c, enum ws_kind kind, struct span body)
{
	c->stream.deadline = clock_ms() + c->timeout_ms;
	return send_frame(c, kind, body);
}

/* The length in its shortest form, RFC 6455 5.2. Returns the bytes written behind out[1]. */
static size_t put_length(uint8_t *out, uint64_t n)
{
	size_t extra = n <= CONTROL_MAX ? 0 : n <= UINT16_MAX ? 2 : 8;

	out[1] = (uint8_t)(0x80 | (extra == 0 ? n : extra == 2 ? 126 : 127));
	for (size_t i = 0; i < extra; i++)
		out[2 + i] = (uint8_t)(n >> 8 * (extra - 1 - i));
	return extra;
}

static enum err send_frame(struct ws_client *c, unsigned op, struct span body)
{
	uint8_t *out = xmalloc(2 + 8 + 4 + body.n);
	size_t head = 2 + put_length(out, body.n);
	uint8_t *mask = out + head;

	out[0] = (uint8_t)(0x80 | op);
	if (getrandom(mask, 4, 0) != 4)
		abort();
	for (size_t i = 0; i < body.n; i++)
		mask[4 + i] = body.p[i] ^ mask[i % 4];

	enum err e = stream_send(&c->stream, out, head + 4 + body.n);
	free(out);
	return e;
}

/* Messages in. */

enum err ws_client_take(struct ws_client *c, struct ws_message *out)
{
	unsigned kind = OP_CONTINUATION;

	c->stream.deadline = clock_ms() + c->timeout_ms;
	c->body_n = 0;
	for (;;) {
		struct frame f;
		bool closed = false;
		enum err e = read_frame(c, &f);

		if (e == OK && f.op >= OP_CLOSE)
			e = take_control(c, &f, out, &closed);
		else if (e == OK &&
			 (f.op == OP_CONTINUATION) == (kind == OP_CONTINUATION))
			e = ERR_MALFORMED; /* nothing to go on with, or something not at its end */
		else if (e == OK)
			e = read_body(c, f.n);
		if (e != OK || closed)
			return e;
		if (f.op >= OP_CLOSE)
			continue;
		kind = f.op == OP_CONTINUATION ? kind : f.op;
		if (!f.fin)
			continue;
		*out = (struct ws_message){.kind = kind,
					   .body = span_of(c->body, c->body_n)};
		return OK;
	}
}

static enum err read_frame(struct ws_client *c, struct frame *out)
{
	uint8_t head[2], length[8];
	enum err e = stream_take(&c->stream, head, sizeof head);

	if (e != OK)
		return e;
	*out = (struct frame){
		.op = head[0] & 0x0f, .fin = head[0] & 0x80, .n = head[1] & 0x7f};

	bool control = out->op >= OP_CLOSE;
	bool masked = head[1] & 0x80; /* RFC 6455 5.1: a server must not */
	bool known = out->op <= WS_BINARY || (control && out->op <= OP_PONG);
	if (masked || (head[0] & 0x70) || !known)
		return ERR_MALFORMED;
	if (control && (!out->fin || out->n > CONTROL_MAX))
		return ERR_MALFORMED;
	if (out->n <= CONTROL_MAX)
		return OK;

	size_t extra = out->n == 126 ? 2 : 8;
	e = stream_take(&c->stream, length, extra);
	out->n = 0;
	for (size_t i = 0; e == OK && i < extra; i++)
		out->n = out->n << 8 | length[i];
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
	uint8_t body[CONTROL_MAX];
	enum err e = stream_take(&c->stream, body, f->n);

	if (e != OK)
		return e;
	if (f->op == OP_PING)
		return send_frame(c, OP_PONG, span_of(body, f->n));
	if (f->op == OP_PONG)
		return OK;
	*closed = true;
	return take_close(c, span_of(body, f->n), out);
}

static enum err take_close(struct ws_client *c, struct span body, struct ws_message *out)
{
	if (body.n == 1)
		return ERR_MALFORMED;

	size_t code = body.n ? 2 : 0;
	c->body_n = 0;
	c->body = xrealloc(c->body, CONTROL_MAX);
	if (body.n > code)
		memcpy(c->body, body.p + code, body.n - code);
	*out = (struct ws_message){
		.kind = WS_CLOSE,
		.body = span_of(c->body, body.n - code),
		.close_code = code ? (unsigned)(body.p[0] << 8 | body.p[1]) : NO_CODE,
	};
	/* RFC 6455 5.5.1: a close is answered by a close, typically with its status code. */
	enum err e = send_frame(c, OP_CLOSE, span_of(body.p, code));
	return e == ERR_DOWN ? OK : e; /* it may be gone already */
}
