/*
 * Ask an HTTP server what stands in a file, over several connections, each its next request once
 * the one before is answered.
 *
 *   bench-requests ADDRESS PORT CONNECTIONS < FILE    prints the body of the last answer
 *
 * The file has each request behind its length in decimal and a line feed. Each answer must have
 * status 200 and a Content-Length; else that answer is printed on stderr, and the exit status is 1.
 */
#include "base/mem.h"
#include "base/span.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MOST = 64, ANSWER_MOST = 4 << 20, SECONDS = 60 };

struct client {
	int fd;
	char *in;
	size_t n;
};

static char *file;
static size_t file_n, at; /* where the next request is */

static void die(const char *what)
{
	fprintf(stderr, "bench-requests: %s\n", what);
	exit(1);
}

static void read_file(void)
{
	size_t room = 1 << 20, k;

	file = xmalloc(room + 1);
	while ((k = fread(file + file_n, 1, room - file_n, stdin)) > 0) {
		file_n += k;
		if (file_n == room)
			file = xrealloc(file, (room *= 2) + 1);
	}
	file[file_n] = '\0';
}

/* False: there is none left. */
static bool send_next(const struct client *c)
{
	char *text;
	size_t n;

	if (at == file_n)
		return false;
	n = strtoul(file + at, &text, 10);
	if (*text++ != '\n' || n > (size_t)(file + file_n - text))
		die("the file is not LENGTH, line feed, request, and so on");
	if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n)
		die("a request could not be sent at once");
	at = (size_t)(text - file) + n;
	return true;
}

static void join(struct client *c, int epoll, const char *address, const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port))};
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	int on = 1;

	c->in = xmalloc(ANSWER_MOST + 1);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (inet_pton(AF_INET, address, &sa.sin_addr) != 1 ||
	    connect(c->fd, (struct sockaddr *)&sa, sizeof sa) == -1)
		die("it does not listen there");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e);
}

/* The body, once all of it is there; else no bytes, and p NULL. */
static struct span body(struct client *c)
{
	static const char good[] = "HTTP/1.1 200 ";
	char *end, *length;
	size_t n;

	c->in[c->n] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	if (end == NULL)
		return (struct span){0};
	length = strcasestr(c->in, "\r\ncontent-length:");
	if (strncmp(c->in, good, strlen(good)) != 0 || length == NULL || length > end)
		die(c->in);
	n = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
	end += 4;
	return c->n >= (size_t)(end - c->in) + n ? span_of(end, n) : (struct span){0};
}

static void receive(struct client *c)
{
	ssize_t n =
		c->n < ANSWER_MOST ? recv(c->fd, c->in + c->n, ANSWER_MOST - c->n, 0) : 0;

	if (n <= 0)
		die("a connection ended, or an answer is larger than 4 MiB");
	c->n += (size_t)n;
}

int main(int argc, char **argv)
{
	static struct client clients[CONNECTIONS_MOST];
	struct epoll_event events[CONNECTIONS_MOST];
	int epoll = epoll_create1(0), n = argc == 4 ? atoi(argv[3]) : 0, waiting = 0;

	if (n < 1 || n > CONNECTIONS_MOST)
		die("usage: bench-requests ADDRESS PORT CONNECTIONS < FILE");
	read_file();
	for (int i = 0; i < n && at < file_n; i++) {
		join(&clients[i], epoll, argv[1], argv[2]);
		waiting += send_next(&clients[i]);
	}
	while (waiting > 0) {
		int ready = epoll_wait(epoll, events, n, SECONDS * 1000);

		if (ready < 1)
			die("no answer for a minute");
		for (int i = 0; i < ready; i++) {
			struct client *c = events[i].data.ptr;
			struct span b;

			receive(c);
			b = body(c);
			if (b.p == NULL)
				continue;
			if (at == file_n && waiting == 1)
				fwrite(b.p, 1, b.n, stdout);
			c->n = 0;
			waiting -= !send_next(c);
		}
	}
	return 0;
}
