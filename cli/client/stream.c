#include "cli/client/stream.h"

#include "base/address.h"
#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool has_connected(int fd, int64_t deadline);
static bool wait_for(int fd, short what, int64_t deadline);

enum err stream_open(struct stream *s, const char *place, int64_t deadline)
{
	struct address at;

	*s = (struct stream){.fd = -1, .deadline = deadline};
	if (address_parse(place, &at) != OK)
		return ERR_DOWN;
	s->fd = socket(at.sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd == -1)
		return ERR_DOWN;
	if (connect(s->fd, (struct sockaddr *)&at.sa, at.n) == 0 ||
	    (errno == EINPROGRESS && has_connected(s->fd, deadline)))
		return OK;
	stream_close(s);
	return ERR_DOWN;
}

static bool has_connected(int fd, int64_t deadline)
{
	int why = 0;
	socklen_t n = sizeof why;

	return wait_for(fd, POLLOUT, deadline) &&
	       getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) == 0 && why == 0;
}

void stream_close(struct stream *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

void stream_probe(struct stream *s)
{
	const int on = 1, idle_s = 15, interval_s = 5, probes = 3;

	setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	setsockopt(s->fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

enum err stream_take(struct stream *s, void *out, size_t n)
{
	uint8_t *to = out;

	while (n > 0) {
		if (s->at == s->n) {
			if (!wait_for(s->fd, POLLIN, s->deadline))
				return ERR_TIMEOUT;
			ssize_t got = recv(s->fd, s->in, sizeof s->in, 0);
			if (got == -1 && (errno == EAGAIN || errno == EINTR))
				continue;
			if (got <= 0)
				return ERR_DOWN;
			s->at = 0;
			s->n = (size_t)got;
		}
		size_t part = n < s->n - s->at ? n : s->n - s->at;
		memcpy(to, s->in + s->at, part);
		s->at += part;
		to += part;
		n -= part;
	}
	return OK;
}

enum err stream_send(struct stream *s, const void *p, size_t n)
{
	const uint8_t *from = p;

	while (n > 0) {
		ssize_t sent = send(s->fd, from, n, MSG_NOSIGNAL);

		if (sent == -1 && errno == EAGAIN) {
			if (!wait_for(s->fd, POLLOUT, s->deadline))
				return ERR_TIMEOUT;
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
		int n = poll(&p, 1,
			     deadline == STREAM_ENDLESS ? -1
			     : left > 0                 ? (int)left
							: 0);

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}
