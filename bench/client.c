#include "bench/client.h"

#include "base/mem.h"
#include "ws/client_handshake.h"
#include "ws/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The one place that writes c->state. */
static void client_enter(struct client *c, struct crowd *w, enum client_state next)
{
	w->count[c->state]--;
	w->count[next]++;
	c->state = next;
}

void client_init(struct client *c, struct crowd *w, uint32_t number)
{
	*c = (struct client){.fd = -1, .number = number};
	w->count[CLIENT_NEW]++;
}

void client_close(struct client *c, struct crowd *w)
{
	if (c->fd != -1)
		close(c->fd);
	free(c->held);
	free(c->unsent);
	c->fd = -1;
	c->held = c->unsent = NULL;
	c->held_n = c->unsent_n = 0;
	client_enter(c, w, CLIENT_GONE);
}

static void client_fail(struct client *c, struct crowd *w, enum trouble t)
{
	w->tally->troubles[t]++;
	client_close(c, w);
}

static void watch(const struct client *c, const struct crowd *w, int how, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = (void *)(uintptr_t)c};

	epoll_ctl(w->epoll, how, c->fd, &e);
}

void client_connect(struct client *c, struct crowd *w)
{
	const struct address *to = &w->plan->target.server;

	client_enter(c, w, CLIENT_CONNECTING);
	c->since_us = crowd_now_us();
	c->fd = target_socket(&w->plan->target, c->number);
	if (c->fd == -1) {
		client_fail(c, w, TROUBLE_LOCAL);
		return;
	}
	if (w->plan->reset)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			   sizeof(struct linger));
	if (connect(c->fd, (const struct sockaddr *)&to->sa, to->n) == -1 &&
	    errno != EINPROGRESS) {
		client_fail(c, w,
			    errno == EADDRNOTAVAIL ? TROUBLE_LOCAL : TROUBLE_REFUSED);
		return;
	}
	watch(c, w, EPOLL_CTL_ADD, EPOLLOUT);
}

/* Send what there is, behind what is still unsent; keep what the socket does not take. */
static void put(struct client *c, struct crowd *w, const uint8_t *p, size_t n)
{
	ssize_t sent = c->unsent_n > 0 ? 0 : send(c->fd, p, n, MSG_NOSIGNAL);

	if (sent == -1 && errno != EAGAIN) {
		client_fail(c, w, TROUBLE_CUT);
		return;
	}
	size_t done = sent == -1 ? 0 : (size_t)sent;
	if (done == n)
		return;
	c->unsent = xrealloc(c->unsent, c->unsent_n + n - done);
	memcpy(c->unsent + c->unsent_n, p + done, n - done);
	c->unsent_n += n - done;
	watch(c, w, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void put_rest(struct client *c, struct crowd *w)
{
	uint8_t *rest = c->unsent;
	size_t n = c->unsent_n;

	c->unsent = NULL;
	c->unsent_n = 0;
	watch(c, w, EPOLL_CTL_MOD, EPOLLIN);
	put(c, w, rest, n);
	free(rest);
}

static void put_frame(struct client *c, struct crowd *w, enum frame_op op,
		      struct span body)
{
	uint8_t mask[4];
	uint32_t word = crowd_mask(w);

	memcpy(mask, &word, sizeof mask);

	size_t n = frame_head_masked(w->out, op, true, body.n, mask);

	frame_unmask(w->out + n, body.p, body.n, mask, 0);
	put(c, w, w->out, n + body.n);
}

/* Its key follows from its number and the seed, so that nobody has to keep it. */
static struct client_handshake handshake_of(const struct client *c, const struct crowd *w)
{
	uint64_t words[2] = {w->seed * 0x9e3779b97f4a7c15u + c->number,
			     w->seed ^ c->number};
	struct client_handshake h = {.host = w->plan->target.authority,
				     .target = w->plan->target.path};
	uint8_t nonce[ACCEPT_KEY_NONCE];

	static_assert(sizeof nonce == sizeof words, "a nonce is two words");
	memcpy(nonce, words, sizeof nonce);
	accept_key_request(nonce, h.key);
	return h;
}

static void on_connected(struct client *c, struct crowd *w)
{
	int error = 0;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
	if (error != 0) {
		client_fail(c, w, TROUBLE_REFUSED);
		return;
	}

	struct client_handshake h = handshake_of(c, w);
	char *text = client_handshake_request(&h);

	watch(c, w, EPOLL_CTL_MOD, EPOLLIN);
	client_enter(c, w, CLIENT_UPGRADING);
	put(c, w, (const uint8_t *)text, strlen(text));
	free(text);
}

/* Returns the bytes used, 0 when more are needed or the client is gone. */
static size_t take_upgrade(struct client *c, struct crowd *w, struct span in)
{
	struct client_handshake h = handshake_of(c, w);
	unsigned status = 0;
	size_t used = 0;
	enum err e = client_handshake_response(&h, in, &status, &used);

	if (e == ERR_AGAIN)
		return 0;
	if (e != OK) {
		if (e == ERR_DENIED)
			w->tally->by_status[status]++;
		client_fail(c, w, e == ERR_DENIED ? TROUBLE_HTTP : TROUBLE_HANDSHAKE);
		return 0;
	}
	w->tally->opened++;
	histogram_add(&w->tally->connect, crowd_now_us() - c->since_us);
	client_enter(c, w, CLIENT_OPEN);
	return used;
}

static void take_answer(struct client *c, struct crowd *w, struct span body)
{
	if (c->state != CLIENT_WAITING ||
	    !span_eq(body, crowd_message(w, c->number, c->sent - 1))) {
		client_fail(c, w, TROUBLE_BYTES);
		return;
	}
	w->tally->answered++;
	histogram_add(&w->tally->echo, crowd_now_us() - c->since_us);
	client_enter(c, w, CLIENT_OPEN);
}

/* The answer to our own close frame, or a close that nobody had asked for. */
static void take_close(struct client *c, struct crowd *w, struct span body)
{
	unsigned code = frame_close_code(body);

	if (c->state == CLIENT_CLOSING && code == 1000) {
		c->close_seen =
			true; /* and the server ends the TCP connection: RFC 6455 7.1.1 */
		return;
	}
	w->tally->by_close[code < TALLY_CODES ? code : 0]++;
	client_fail(c, w, TROUBLE_CLOSED);
}

static void take_frame(struct client *c, struct crowd *w, const struct frame *f,
		       struct span body)
{
	if (!f->fin)
		client_fail(c, w, TROUBLE_FRAME);
	else if (f->op == FRAME_TEXT)
		take_answer(c, w, body);
	else if (f->op == FRAME_CLOSE)
		take_close(c, w, body);
	else if (f->op == FRAME_PING)
		put_frame(c, w, FRAME_PONG, body);
	else if (f->op != FRAME_PONG)
		client_fail(c, w, TROUBLE_FRAME);
}

static size_t take_frames(struct client *c, struct crowd *w, struct span in)
{
	size_t used = 0;

	while (c->state != CLIENT_GONE && used < in.n) {
		struct frame f;
		struct span rest = span_of(in.p + used, in.n - used);
		enum err e = frame_parse_server(rest, &f);

		if (e == ERR_MALFORMED)
			client_fail(c, w, TROUBLE_FRAME);
		if (e != OK || f.payload > rest.n - f.header)
			break;
		take_frame(c, w, &f, span_of(rest.p + f.header, (size_t)f.payload));
		used += f.header + (size_t)f.payload;
	}
	return used;
}

static void hold(struct client *c, const uint8_t *p, size_t n)
{
	if (n > c->held_n)
		c->held = xrealloc(c->held, n);
	if (n > 0)
		memcpy(c->held, p, n);
	c->held_n = n;
}

static void take_bytes(struct client *c, struct crowd *w, size_t n)
{
	size_t used = 0;

	if (c->state == CLIENT_UPGRADING)
		used = take_upgrade(c, w, span_of(w->in, n));
	if (c->state != CLIENT_UPGRADING)
		used += take_frames(c, w, span_of(w->in + used, n - used));
	if (c->state != CLIENT_GONE)
		hold(c, w->in + used, n - used);
}

/* The server has ended the TCP connection. */
static void on_end(struct client *c, struct crowd *w)
{
	if (!c->close_seen) {
		client_fail(c, w, TROUBLE_CUT);
		return;
	}
	w->tally->closed++;
	histogram_add(&w->tally->close, crowd_now_us() - c->since_us);
	client_close(c, w);
}

static void on_readable(struct client *c, struct crowd *w)
{
	if (c->held_n == w->in_n) {
		client_fail(c, w, TROUBLE_BYTES); /* longer than any answer can be */
		return;
	}
	if (c->held_n > 0)
		memcpy(w->in, c->held, c->held_n);

	ssize_t n = recv(c->fd, w->in + c->held_n, w->in_n - c->held_n, 0);
	if (n > 0)
		take_bytes(c, w, c->held_n + (size_t)n);
	else if (n == 0)
		on_end(c, w);
	else if (errno != EAGAIN)
		client_fail(c, w, TROUBLE_CUT);
}

void client_take(struct client *c, struct crowd *w, uint32_t events)
{
	if (c->state == CLIENT_CONNECTING) {
		on_connected(c, w);
		return;
	}
	if (events & EPOLLOUT && c->unsent_n > 0)
		put_rest(c, w);
	if (events & ~(uint32_t)EPOLLOUT && c->fd != -1)
		on_readable(c, w);
}

void client_say(struct client *c, struct crowd *w)
{
	struct span body = crowd_message(w, c->number, c->sent);

	c->sent++;
	c->since_us = crowd_now_us();
	client_enter(c, w, CLIENT_WAITING);
	put_frame(c, w, FRAME_TEXT, body);
}

void client_leave(struct client *c, struct crowd *w)
{
	static const uint8_t normal[] = {1000 >> 8, 1000 & 0xff};

	c->since_us = crowd_now_us();
	client_enter(c, w, CLIENT_CLOSING);
	put_frame(c, w, FRAME_CLOSE, span_of(normal, sizeof normal));
}

void client_check(struct client *c, struct crowd *w, int64_t since_us)
{
	bool waits = c->state != CLIENT_NEW && c->state != CLIENT_OPEN &&
		     c->state != CLIENT_GONE;

	if (waits && c->since_us < since_us)
		client_fail(c, w, TROUBLE_TIMEOUT);
}
