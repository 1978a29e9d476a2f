/*
 * A function over HTTP that does the least possible work on bare epoll: it answers each
 * event with {"statusCode":200,"body":…}, where the body is that of the event, and keeps
 * its connections. What the broker needs for an invocation is measured against it.
 *
 *   bench-function [PORT]    prints the port that it listens on (127.0.0.1); SIGTERM ends it
 *
 * It counts: a GET is answered with how many events of each type have come, how many
 * connections have ended, and when the last of them did, on the clock of CLOCK_MONOTONIC.
 *
 * It is no server for anything else: a request is a POST with a Content-Length, of at most
 * 64 KiB with its head, and comes before the next one.
 */
#include "base/map.h"
#include "base/mem.h"
#include "bench/crowd.h"
#include "bench/server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFER = 1 << 16 };

struct peer {
	size_t n;
	char in[BUFFER + 1];
};

static struct peer *peers[SERVER_PEERS]; /* by descriptor */
static size_t connects, messages, disconnects;
static struct map *ended; /* ids of connections whose disconnect has come */
static int64_t last_end_us;

static void begin(int fd)
{
	if (peers[fd] == NULL)
		peers[fd] = xmalloc(sizeof(struct peer));
	peers[fd]->n = 0;
}

/* Where the value of this string begins in the event; NULL when it has none. */
static const char *value_of(const char *event, const char *name, size_t *n)
{
	const char *at = strstr(event, name);

	if (at == NULL)
		return NULL;
	at += strlen(name);
	*n = strcspn(at, "\"");
	return at;
}

/* An event may come again after a crash: a connection's end counts once here. */
static void count_end(const char *event)
{
	size_t n;
	const char *id = value_of(event, "\"connectionId\":\"", &n);

	if (id == NULL || map_find(ended, span_of(id, n)) != NULL)
		return;
	char *key = xmalloc(n);
	memcpy(key, id, n);
	map_put(ended, span_of(key, n), key);
	last_end_us = crowd_now_us();
}

static void count(const char *event)
{
	size_t n;
	const char *kind = value_of(event, "\"eventType\":\"", &n);

	if (kind == NULL)
		return;
	connects += *kind == 'C';
	messages += *kind == 'M';
	disconnects += *kind == 'D';
	if (*kind == 'D')
		count_end(event);
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

static bool answer_event(int fd, const char *event)
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

static bool answer_counts(int fd)
{
	char body[256], out[512];
	int n = snprintf(body, sizeof body,
			 "{\"connects\":%zu,\"messages\":%zu,\"disconnects\":%zu,"
			 "\"ended\":%zu,\"last_end_us\":%" PRId64 "}",
			 connects, messages, disconnects, map_size(ended), last_end_us);
	int out_n = snprintf(out, sizeof out,
			     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			     "Content-Length: %d\r\n\r\n%s",
			     n, body);

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
	if (p->in[0] == 'G')
		return answer_counts(fd);
	count(event);
	return answer_event(fd, event);
}

int main(int argc, char **argv)
{
	const struct server server = {"bench-function", begin, take};

	ended = map_new();
	server_run(&server, argc > 1 ? argv[1] : "0");
	return 0;
}
