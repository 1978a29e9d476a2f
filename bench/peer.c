#include "bench/peer.h"

#include "base/mem.h"
#include "ws/client_handshake.h"
#include "ws/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 512, IN = 1 << 18 };

struct peer_net {
	const struct target *target;
	const struct peer_calls *calls;
	int epoll;
	uint64_t random; /* of the masks */
	uint8_t in[IN];
};

struct peer_net *peer_net_new(const struct target *target, const struct peer_calls *calls)
{
	struct peer_net *n = xcalloc(1, sizeof *n);

	n->target = target;
	n->calls = calls;
	n->epoll = epoll_create1(EPOLL_CLOEXEC);
	n->random = (uint64_t)peer_now_us();
	return n;
}

void peer_net_free(struct peer_net *n)
{
	close(n->epoll);
	free(n);
}

int64_t peer_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void peer_free(struct peer *p)
{
	if (p->fd > 0)
		close(p->fd);
	free(p->held);
	free(p->unsent);
	*p = (struct peer){.fd = -1, .number = p->number, .state = PEER_GONE};
}

static void end(struct peer_net *n, struct peer *p, bool ok)
{
	peer_free(p);
	n->calls->closed(n->calls->user, p, ok);
}

static void watch(struct peer_net *n, struct peer *p, int how, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = p};

	epoll_ctl(n->epoll, how, p->fd, &e);
}

void peer_connect(struct peer_net *n, struct peer *p)
{
	const struct address *to = &n->target->server;

	p->state = PEER_CONNECTING;
	p->fd = target_socket(n->target, p->number);
	if (p->fd == -1 ||
	    (connect(p->fd, (const struct sockaddr *)&to->sa, to->n) == -1 &&
	     errno != EINPROGRESS)) {
		end(n, p, false);
		return;
	}
	watch(n, p, EPOLL_CTL_ADD, EPOLLOUT);
}

static void put(struct peer *p, const void *from, size_t n)
{
	if (p->unsent_n + n > p->unsent_room) {
		p->unsent_room = (p->unsent_n + n) * 2;
		p->unsent = xrealloc(p->unsent, p->unsent_room);
	}
	memcpy(p->unsent + p->unsent_n, from, n);
	p->unsent_n += n;
}

static void put_frame(struct peer_net *n, struct peer *p, enum frame_op op,
		      struct span body)
{
	uint8_t head[FRAME_HEADER_MOST], mask[4];

	n->random = n->random * 6364136223846793005u + 1442695040888963407u;
	memcpy(mask, (const uint8_t *)&n->random + 4, sizeof mask);
	put(p, head, frame_head_masked(head, op, true, body.n, mask));
	put(p, body.p, body.n);

	uint8_t *payload = p->unsent + p->unsent_n - body.n;
	frame_unmask(payload, payload, body.n, mask, 0);
}

void peer_flush(struct peer_net *n, struct peer *p)
{
	if (p->unsent_n == 0 || p->fd == -1)
		return;

	ssize_t sent = send(p->fd, p->unsent, p->unsent_n, MSG_NOSIGNAL);
	if (sent == -1 && errno != EAGAIN) {
		end(n, p, false);
		return;
	}
	if (sent > 0) {
		p->unsent_n -= (size_t)sent;
		memmove(p->unsent, p->unsent + sent, p->unsent_n);
	}
	if ((p->unsent_n > 0) == p->watched)
		return;
	p->watched = !p->watched;
	watch(n, p, EPOLL_CTL_MOD, p->watched ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void peer_say(struct peer_net *n, struct peer *p, struct span body)
{
	put_frame(n, p, FRAME_TEXT, body);
}

void peer_leave(struct peer_net *n, struct peer *p)
{
	static const uint8_t normal[] = {1000 >> 8, 1000 & 0xff};

	p->state = PEER_CLOSING;
	put_frame(n, p, FRAME_CLOSE, span_of(normal, sizeof normal));
	peer_flush(n, p);
}

/* Its key follows from its number, so that nobody has to keep it. */
static struct client_handshake handshake_of(const struct peer_net *n,
					    const struct peer *p)
{
	struct client_handshake h = {.host = n->target->authority,
				     .target = n->target->path};
	uint8_t nonce[ACCEPT_KEY_NONCE] = "bench-fanout";

	memcpy(nonce + 12, &p->number, sizeof p->number);
	accept_key_request(nonce, h.key);
	return h;
}

static void on_connected(struct peer_net *n, struct peer *p)
{
	int error = 0;

	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error});
	if (error != 0) {
		end(n, p, false);
		return;
	}

	struct client_handshake h = handshake_of(n, p);
	char *text = client_handshake_request(&h);

	p->state = PEER_UPGRADING;
	put(p, text, strlen(text));
	free(text);
	watch(n, p, EPOLL_CTL_MOD, EPOLLIN);
	peer_flush(n, p);
}

/* Returns the bytes used, 0 when more are needed or the peer is gone. */
static size_t take_upgrade(struct peer_net *n, struct peer *p, struct span in)
{
	struct client_handshake h = handshake_of(n, p);
	unsigned status = 0;
	size_t used = 0;
	enum err e = client_handshake_response(&h, in, &status, &used);

	if (e == ERR_AGAIN)
		return 0;
	if (e != OK) {
		end(n, p, false);
		return 0;
	}
	free(p->unsent); /* a subscriber says so little that its buffer need not stay */
	p->unsent = NULL;
	p->unsent_n = p->unsent_room = 0;
	p->state = PEER_OPEN;
	n->calls->opened(n->calls->user, p);
	return used;
}

static void take_frame(struct peer_net *n, struct peer *p, const struct frame *f,
		       struct span body)
{
	if (f->fin && (f->op == FRAME_TEXT || f->op == FRAME_BINARY)) {
		n->calls->text(n->calls->user, p, body);
	} else if (f->op == FRAME_PING) {
		put_frame(n, p, FRAME_PONG, body);
		peer_flush(n, p);
	} else if (f->op == FRAME_CLOSE && p->state == PEER_CLOSING &&
		   frame_close_code(body) == 1000) {
		p->close_seen = true; /* and the server ends the TCP connection */
	} else if (f->op != FRAME_PONG) {
		end(n, p, false);
	}
}

static size_t take_frames(struct peer_net *n, struct peer *p, struct span in)
{
	size_t used = 0;

	while (p->state != PEER_GONE && used < in.n) {
		struct frame f;
		struct span rest = span_of(in.p + used, in.n - used);
		enum err e = frame_parse_server(rest, &f);

		if (e == ERR_MALFORMED)
			end(n, p, false);
		if (e != OK || f.payload > rest.n - f.header)
			break;
		take_frame(n, p, &f, span_of(rest.p + f.header, (size_t)f.payload));
		used += f.header + (size_t)f.payload;
	}
	return used;
}

static void hold(struct peer *p, const uint8_t *from, size_t n)
{
	if (n > p->held_n)
		p->held = xrealloc(p->held, n);
	if (n > 0)
		memmove(p->held, from, n);
	p->held_n = n;
}

static void on_readable(struct peer_net *n, struct peer *p)
{
	if (p->held_n == IN) {
		end(n, p, false); /* longer than any frame of a bench */
		return;
	}
	if (p->held_n > 0)
		memcpy(n->in, p->held, p->held_n);

	ssize_t got = recv(p->fd, n->in + p->held_n, IN - p->held_n, 0);
	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			end(n, p, got == 0 && p->close_seen);
		return;
	}

	struct span in = span_of(n->in, p->held_n + (size_t)got);
	size_t used = p->state == PEER_UPGRADING ? take_upgrade(n, p, in) : 0;

	if (p->state == PEER_OPEN || p->state == PEER_CLOSING)
		used += take_frames(n, p, span_of(in.p + used, in.n - used));
	if (p->state != PEER_GONE)
		hold(p, in.p + used, in.n - used);
}

void peer_net_turn(struct peer_net *n, int ms)
{
	struct epoll_event ready[BATCH];
	int count = epoll_wait(n->epoll, ready, BATCH, ms);

	for (int i = 0; i < count; i++) {
		struct peer *p = ready[i].data.ptr;

		if (p->state == PEER_CONNECTING) {
			on_connected(n, p);
			continue;
		}
		if (ready[i].events & EPOLLOUT)
			peer_flush(n, p);
		if (ready[i].events & ~(uint32_t)EPOLLOUT && p->fd != -1)
			on_readable(n, p);
	}
}
