/*
 * A function over HTTP that does the least possible work on bare epoll: it answers each
 * event with {"statusCode":200,"body":…}, where the body is that of the event, and keeps
 * its connections. What the broker needs for an invocation is measured against it.
 *
 *   bench-function [PORT]    prints the port that it listens on (127.0.0.1); SIGTERM ends it
 *
 * It is no server for anything else: a request is a POST with a Content-Length, of at most
 * 64 KiB with its head, and comes before the next one.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 65536, BATCH = 512, BUFFER = 1 << 16 };

struct peer {
	size_t n;
	char in[BUFFER + 1];
};

static struct peer *peers[PEERS]; /* by descriptor */

static void fail(const char *what)
{
	fprintf(stderr, "bench-function: %s: %m\n", what);
	exit(1);
}

static int listen_at(const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t n = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) ||
	    bind(fd, (struct sockaddr *)&sa, n) || listen(fd, 4096) ||
	    getsockname(fd, (struct sockaddr *)&sa, &n))
		fail("cannot listen; choose another port, or 0 for a free one");
	printf("%d\n", ntohs(sa.sin_port));
	fflush(stdout);
	return fd;
}

static int signal_fd(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	return signalfd(-1, &stop, SFD_CLOEXEC);
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == -1)
		fail("epoll_ctl");
}

static void welcome(int epoll, int listener)
{
	for (int i = 0; i < BATCH; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1)
			return;
		if (fd >= PEERS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		if (peers[fd] == NULL &&
		    (peers[fd] = malloc(sizeof(struct peer))) == NULL)
			fail("no memory");
		peers[fd]->n = 0;
		watch(epoll, fd);
	}
}

/* The event's body as it is written, with its quotes; "" for one that has none. */
static const char *find_body(const char *event, size_t *n)
{
	static const char name[] = "\"body\":\"";
	const char *at = strstr(event, name), *end;

	*n = 2;
	if (at == NULL)
		return "\"\"";
	at += sizeof name - 2;
	for (end = at + 1; *end != '"' && *end != '\0'; end++)
		if (*end == '\\' && end[1] != '\0')
			end++;
	*n = (size_t)(end + 1 - at);
	return *end == '"' ? at : "\"\"";
}

static bool answer(int fd, const char *event)
{
	static const char form[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
				   "Content-Length: %zu\r\n\r\n"
				   "{\"statusCode\":200,\"body\":%.*s}";
	static char out[BUFFER + 256];
	size_t n;
	const char *body = find_body(event, &n);
	int out_n =
		snprintf(out, sizeof out, form,
			 n + sizeof "{\"statusCode\":200,\"body\":}" - 1, (int)n, body);

	return send(fd, out, (size_t)out_n, MSG_NOSIGNAL) == out_n;
}

/* The length of the whole request; 0 while its head is not. */
static size_t length_of(const struct peer *p, const char **event)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *end = strstr(p->in, "\r\n\r\n");
	const char *length = strcasestr(p->in, name);

	if (end == NULL)
		return 0;
	*event = end + 4;
	if (length == NULL || length > end)
		return (size_t)(*event - p->in);
	return (size_t)(*event - p->in) + strtoul(length + sizeof name - 1, NULL, 10);
}

/* False when the peer is to be dropped. */
static bool take(int fd)
{
	struct peer *p = peers[fd];
	ssize_t n = recv(fd, p->in + p->n, BUFFER - p->n, 0);
	const char *event;
	size_t whole;

	if (n == -1 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	p->n += (size_t)n;
	p->in[p->n] = '\0';
	whole = length_of(p, &event);
	if (whole == 0 || p->n < whole)
		return p->n < BUFFER;
	p->n = 0;
	return answer(fd, event);
}

int main(int argc, char **argv)
{
	struct epoll_event ready[BATCH];
	int stop = signal_fd();
	int listener = listen_at(argc > 1 ? argv[1] : "0");
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll, stop);
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, ready, BATCH, -1);

		for (int i = 0; i < n; i++) {
			if (ready[i].data.fd == stop)
				return 0;
			if (ready[i].data.fd == listener)
				welcome(epoll, listener);
			else if (!take(ready[i].data.fd))
				close(ready[i].data.fd);
		}
	}
}
