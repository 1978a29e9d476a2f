/*
 * The conversation, in the order of happening: ws_client_open connects and shakes hands,
 * ws_client_send masks a frame, ws_client_take reads frames until a message is whole.
 * Below them, bytes with deadlines.
 */
#include "cli/ws_client.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	OP_CONTINUATION = 0,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10,
	CONTROL_MAX = 125,
	MESSAGE_MAX = 1 << 20,
	LINE_MAX_BYTES = 1024, /* of the answer's head */
	LINES_MAX = 100,
	NO_CODE = 1005,
};

struct ws_client {
	int fd;
	int64_t timeout_ms, deadline;
	uint8_t in[4096]; /* read, and not yet taken */
	size_t at, n;
	uint8_t *body; /* of the message that is being put together */
	size_t body_n;
};

struct frame {
	unsigned op;
	bool fin;
	uint64_t n;
};

static int connect_to(const char *host, int64_t deadline);
static int shake_hands(struct ws_client *c, const char *host, const char *target,
		       const char *user_agent);
static int read_answer(struct ws_client *c, const char *accept);
static enum err send_frame(struct ws_client *c, unsigned op, struct span body);
static enum err read_frame(struct ws_client *c, struct frame *out);
static enum err read_body(struct ws_client *c, uint64_t n);
static enum err take_control(struct ws_client *c, const struct frame *f,
			     struct ws_message *out, bool *closed);
static enum err take_close(struct ws_client *c, struct span body, struct ws_message *out);
static enum err take_bytes(struct ws_client *c, void *out, size_t n);
static enum err send_bytes(struct ws_client *c, const void *p, size_t n);
static bool wait_for(int fd, short what, int64_t deadline);

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
	c->deadline = clock_ms() + timeout_ms;
	c->fd = connect_to(place, c->deadline);
	if (c->fd != -1)
		*status = shake_hands(c, place, host[n] ? host + n : "/", user_agent);
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
	if (c->fd != -1)
		close(c->fd);
	free(c->body);
	free(c);
}

/* The handshake. */

static int connect_to(const char *host, int64_t deadline)
{
	struct address at;
	int why = 0;
	socklen_t n = sizeof why;

	if (address_parse(host, &at) != OK)
		return -1;

	int fd = socket(at.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&at.sa, at.n) == 0)
		return fd;
	if (errno == EINPROGRESS && wait_for(fd, POLLOUT, deadline) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 && why == 0)
		return fd;
	close(fd);
	return -1;
}

/* base64 of 16 random bytes: RFC 6455 4.1, 7. */
static void make_key(char key[25])
{
	uint8_t nonce[16];

	if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
		abort();
	EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
}

/* What the server must answer to key: RFC 6455 4.2.2, 5.4. */
static void make_accept(const char *key, char accept[29])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n;
	char *text = xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

	EVP_Digest(text, strlen(text), hash, &n, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept, hash, (int)n);
	free(text);
}

/* Returns the answer's status; 0 when there was no right answer. */
static int shake_hands(struct ws_client *c, const char *host, const char *target,
		       const char *user_agent)
{
	char key[25], accept[29];

	make_key(key);
	make_accept(key, accept);
	char *request = xasprintf("GET %s HTTP/1.1\r\n"
				  "Host: %s\r\n"
				  "Upgrade: websocket\r\n"
				  "Connection: Upgrade\r\n"
				  "Sec-WebSocket-Key: %s\r\n"
				  "Sec-WebSocket-Version: 13\r\n"
				  "User-Agent: %s\r\n\r\n",
				  target, host, key, user_agent);
	enum err e = send_bytes(c, request, strlen(request));

	free(request);
	return e == OK ? read_answer(c, accept) : 0;
}

/* One line without its CRLF. */
static enum err take_line(struct ws_client *c, char line[LINE_MAX_BYTES])
{
	for (size_t n = 0; n < LINE_MAX_BYTES; n++) {
		enum err e = take_bytes(c, line + n, 1);

		if (e != OK)
			return e;
		if (line[n] != '\n')
			continue;
		line[n] = '\0';
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		return OK;
	}
	return ERR_TOOBIG;
}

/* The value when line is the header of that name; else "". */
static const char *header_value(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return "";
	return line + n + 1 + strspn(line + n + 1, " \t");
}

static int read_answer(struct ws_client *c, const char *accept)
{
	char line[LINE_MAX_BYTES];
	int status;
	bool upgraded = false, connected = false, accepted = false;

	if (take_line(c, line) != OK || sscanf(line, "HTTP/1.1 %3d", &status) != 1)
		return 0;
	for (int i = 0; i < LINES_MAX; i++) {
		if (take_line(c, line) != OK)
			return 0;
		if (line[0] == '\0') {
			bool right = upgraded && connected && accepted;
			return status == 101 && !right ? 0 : status;
		}
		upgraded |= !strcasecmp(header_value(line, "Upgrade"), "websocket");
		connected |= !strcasecmp(header_value(line, "Connection"), "Upgrade");
		accepted |= !strcmp(header_value(line, "Sec-WebSocket-Accept"), accept);
	}
	return 0;
}

/* Messages out. */

enum err ws_client_send(struct ws_client *c, enum ws_kind kind, struct span body)
{
	c->deadline = clock_ms() + c->timeout_ms;
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

	enum err e = send_bytes(c, out, head + 4 + body.n);
	free(out);
	return e;
}

/* Messages in. */

enum err ws_client_take(struct ws_client *c, struct ws_message *out)
{
	unsigned kind = OP_CONTINUATION;

	c->deadline = clock_ms() + c->timeout_ms;
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
	enum err e = take_bytes(c, head, sizeof head);

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
	e = take_bytes(c, length, extra);
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

	enum err e = take_bytes(c, c->body + c->body_n, n);
	if (e == OK)
		c->body_n += n;
	return e;
}

static enum err take_control(struct ws_client *c, const struct frame *f,
			     struct ws_message *out, bool *closed)
{
	uint8_t body[CONTROL_MAX];
	enum err e = take_bytes(c, body, f->n);

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

/* Bytes with deadlines. */

static enum err take_bytes(struct ws_client *c, void *out, size_t n)
{
	uint8_t *to = out;

	while (n > 0) {
		if (c->at == c->n) {
			if (!wait_for(c->fd, POLLIN, c->deadline))
				return ERR_AGAIN;
			ssize_t got = recv(c->fd, c->in, sizeof c->in, 0);
			if (got == -1 && (errno == EAGAIN || errno == EINTR))
				continue;
			if (got <= 0)
				return ERR_DOWN;
			c->at = 0;
			c->n = (size_t)got;
		}
		size_t part = n < c->n - c->at ? n : c->n - c->at;
		memcpy(to, c->in + c->at, part);
		c->at += part;
		to += part;
		n -= part;
	}
	return OK;
}

static enum err send_bytes(struct ws_client *c, const void *p, size_t n)
{
	const uint8_t *from = p;

	while (n > 0) {
		ssize_t sent = send(c->fd, from, n, MSG_NOSIGNAL);

		if (sent == -1 && errno == EAGAIN) {
			if (!wait_for(c->fd, POLLOUT, c->deadline))
				return ERR_AGAIN;
			continue;
		}
		if (sent == -1 && errno == EINTR)
			continue;
		if (sent == -1)
			return ERR_DOWN;
		from += sent;
		n -= (size_t)sent;
	}
	return OK;
}

static bool wait_for(int fd, short what, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = what};

	for (;;) {
		int64_t left = deadline - clock_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}
