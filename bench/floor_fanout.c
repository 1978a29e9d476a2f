/*
 * The floor of a fan-out: a server of one thread on bare epoll. A client joins a group; what
 * is sent to the group goes to each member as one prepared frame, with one send each. What a
 * delivery costs here is what the kernel asks for it.
 *
 *   bench-floor-fanout [PORT]    prints the port that it listens on (127.0.0.1); SIGTERM ends it
 *
 * It is no server for anything else: an upgrade must come in one piece, and so must frames, which
 * are under 64 KiB; who sends something else, or does not read, is dropped.
 */
#include "base/mem.h"
#include "bench/server.h"
#include "bench/upgrade.h"
#include "ws/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BUFFER = 1 << 17, GROUPS = 65536, NOWHERE = -1 };

struct group {
	int *members; /* descriptors */
	size_t n, room;
};

struct member {
	bool upgraded;
	int group; /* NOWHERE: none */
	size_t at; /* in its members */
};

static struct group groups[GROUPS];
static struct member peers[SERVER_PEERS]; /* by descriptor */
static uint8_t in[BUFFER + 1];
static uint8_t out[BUFFER + FRAME_HEAD_MOST];

static void begin(int fd)
{
	peers[fd] = (struct member){.group = NOWHERE};
}

static void leave(int fd)
{
	struct member *m = &peers[fd];

	if (m->group == NOWHERE)
		return;

	struct group *g = &groups[m->group];
	int last = g->members[--g->n];

	g->members[m->at] = last;
	peers[last].at = m->at;
	m->group = NOWHERE;
}

static void join(int fd, int group)
{
	struct group *g = &groups[group];

	leave(fd);
	if (g->n == g->room) {
		g->room = g->room > 0 ? g->room * 2 : 8;
		g->members = xrealloc(g->members, g->room * sizeof *g->members);
	}
	peers[fd].group = group;
	peers[fd].at = g->n;
	g->members[g->n++] = fd;
}

static bool answer(int fd, enum frame_op op, struct span body)
{
	size_t n = frame_head(out, op, true, body.n);

	memcpy(out + n, body.p, body.n);
	return send(fd, out, n + body.n, MSG_NOSIGNAL) == (ssize_t)(n + body.n);
}

/* A member that does not read gets no more; the generator notices. */
static void send_to_all(int group, struct span body)
{
	const struct group *g = &groups[group];
	size_t n = frame_head(out, FRAME_TEXT, true, body.n);

	memcpy(out + n, body.p, body.n);
	n += body.n;
	for (size_t i = 0; i < g->n; i++)
		if (send(g->members[i], out, n, MSG_NOSIGNAL) != (ssize_t)n)
			shutdown(g->members[i], SHUT_RDWR);
}

/* "join 7" or "send 7 DATA"; false for anything else. text has a byte behind it. */
static bool obey(int fd, uint8_t *text, size_t n)
{
	char *end;

	if (n < 6)
		return false;

	uint8_t behind = text[n];
	text[n] = '\0';
	unsigned long group = strtoul((char *)text + 5, &end, 10);
	text[n] = behind;

	if (group >= GROUPS)
		return false;
	if (memcmp(text, "join ", 5) == 0) {
		join(fd, (int)group);
		return answer(fd, FRAME_TEXT, span_str("joined"));
	}
	if (memcmp(text, "send ", 5) != 0 || *end != ' ')
		return false;

	size_t data = (size_t)(end + 1 - (char *)text);
	send_to_all((int)group, span_of(text + data, n - data));
	return true;
}

/* False when the peer is to be dropped. */
static bool take(int fd, size_t n)
{
	for (size_t at = 0; at < n;) {
		struct frame f;

		if (frame_parse(span_of(in + at, n - at), &f) != OK)
			return false;
		uint8_t *body = in + at + f.header;
		at += f.header + (size_t)f.payload;
		if (at > n)
			return false;
		frame_unmask(body, body, (size_t)f.payload, f.mask, 0);
		if (f.op == FRAME_CLOSE) {
			answer(fd, FRAME_CLOSE, span_of(body, (size_t)f.payload));
			return false;
		}
		if (f.op == FRAME_TEXT && !obey(fd, body, (size_t)f.payload))
			return false;
	}
	return true;
}

static bool upgrade(int fd, size_t n)
{
	in[n] = '\0';
	peers[fd].upgraded = true;
	return upgrade_accept(fd, (const char *)in);
}

static bool serve(int fd)
{
	ssize_t n = recv(fd, in, BUFFER, 0);

	if (n == -1 && errno == EAGAIN)
		return true;
	if (n > 0 && (peers[fd].upgraded ? take : upgrade)(fd, (size_t)n))
		return true;
	leave(fd);
	return false;
}

int main(int argc, char **argv)
{
	const struct server server = {"bench-floor-fanout", begin, serve};

	server_run(&server, argc > 1 ? argv[1] : "0");
	for (size_t i = 0; i < GROUPS; i++)
		free(groups[i].members);
	return 0;
}
