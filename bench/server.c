#include "bench/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 512 };

static void fail(const struct server *s, const char *what)
{
	fprintf(stderr, "%s: %s: %m\n", s->program, what);
	exit(1);
}

static int listen_at(const struct server *s, const char *port)
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
		fail(s, "cannot listen; choose another port, or 0 for a free one");
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

static void watch(const struct server *s, int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == -1)
		fail(s, "epoll_ctl");
}

static void welcome(const struct server *s, int epoll, int listener)
{
	for (int i = 0; i < BATCH; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd == -1)
			return;
		if (fd >= SERVER_PEERS) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		s->begin(fd);
		watch(s, epoll, fd);
	}
}

void server_run(const struct server *s, const char *port)
{
	struct epoll_event ready[BATCH];
	int stop = signal_fd();
	int listener = listen_at(s, port);
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	watch(s, epoll, stop);
	watch(s, epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, ready, BATCH, -1);

		for (int i = 0; i < n; i++) {
			int fd = ready[i].data.fd;

			if (fd == stop)
				return;
			if (fd == listener)
				welcome(s, epoll, listener);
			else if (!s->serve(fd))
				close(fd);
		}
	}
}
