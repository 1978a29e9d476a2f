#include "server_fixture.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };

struct loop *loop;
static struct timer *tick;
struct http_server *server;
struct http_conf conf;
static struct metrics *metrics;
struct address at;
struct client clients[CLIENTS];
size_t n_clients;

struct http_request *kept[KEPT];
size_t handled, gone, ended;
static size_t n_kept;
char last[64];

static void read_some(struct client *c)
{
	char bytes[65536];
	ssize_t n;

	while (!c->closed && c->reads && (n = recv(c->fd, bytes, sizeof bytes, 0)) >= 0) {
		c->closed = n == 0;
		evbuffer_add(c->got, bytes, (size_t)n);
	}
	if (!c->closed && c->reads && errno != EAGAIN)
		c->closed = true;
}

static void on_turn_end(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < n_clients; i++)
		read_some(&clients[i]);
	loop_stop(loop);
}

static void on_tick(void *arg)
{
	(void)arg;
}

/* Turn until cond holds. */
void until(bool (*cond)(void))
{
	int64_t end = clock_ms() + DEADLINE_MS;

	do {
		cr_assert(clock_ms() < end, "it does not happen");
		loop_run(loop);
	} while (!cond());
}

static void on_gone(void *arg)
{
	(void)arg;
	gone++;
}

static void on_ended(void *arg)
{
	cr_assert(arg == &ended);
	ended++;
}

void reply(struct http_request *q, struct span body)
{
	struct response_header h = HTTP_HEADER("Content-Type", "text/plain");

	http_reply(q, 200, &h, 1, body);
}

static struct evbuffer *large(void)
{
	struct evbuffer *b = evbuffer_new();
	char *text = calloc(1, 1 << 20);

	for (int i = 0; i < 8; i++)
		evbuffer_add(b, memset(text, 'a' + i, 1 << 20), 1 << 20);
	free(text);
	return b;
}

static void handle(void *arg, struct http_request *q)
{
	cr_assert(arg == &conf);
	handled++;
	snprintf(last, sizeof last, "%.*s %.*s?%.*s %.*s", SPAN_ARG(q->head.method),
		 SPAN_ARG(q->head.path), SPAN_ARG(q->head.query),
		 (int)(q->body.n < 16 ? q->body.n : 16), (const char *)q->body.p);
	if (span_is(q->head.path, "/keep")) {
		cr_assert(n_kept < KEPT);
		kept[n_kept++] = q;
		http_keep(q, on_gone, NULL);
		http_connection_watch(q->connection, on_ended, &ended);
	} else if (span_is(q->head.path, "/large")) {
		struct evbuffer *b = large();

		http_reply_buffer(q, 200, NULL, 0, b);
		cr_assert(eq(sz, evbuffer_get_length(b), 0));
		evbuffer_free(b);
	} else if (span_is(q->head.path, "/none")) {
		http_reply(q, 204, NULL, 0, span_of(NULL, 0));
	} else {
		reply(q, q->body);
	}
}

/* As conf says. */
void start(void)
{
	struct address any;
	int fd;

	cr_assert(eq(int, address_parse("127.0.0.1:0", &any), OK));
	fd = address_listen(&any, false, &at);
	cr_assert(fd >= 0);
	http_count_refusals(metrics, "refused_total", "Refused.", conf.refused);
	server = http_server_new(loop, &conf, handle, &conf);
	http_server_listen(server, fd);
}

void server_fixture_init(void)
{
	loop = loop_new();
	metrics = metrics_new();
	loop_at_turn_end(loop, on_turn_end, NULL);
	tick = timer_new(loop, on_tick, NULL);
	timer_every(tick, 2);
	conf = (struct http_conf){.connections = 20,
				  .requests = 5,
				  .memory = 1 << 20,
				  .max_head = 2048,
				  .max_body = 4 << 20,
				  .timeout_ms = 60000,
				  .half_close = true};
}

void server_fixture_fini(void)
{
	for (size_t i = 0; i < n_clients; i++) {
		close(clients[i].fd);
		evbuffer_free(clients[i].got);
	}
	http_server_free(server);
	timer_free(tick);
	metrics_free(metrics);
	loop_free(loop);
}

struct client *come(void)
{
	struct client *c = &clients[n_clients++];

	cr_assert(n_clients <= CLIENTS);
	*c = (struct client){.fd = socket(at.sa.ss_family, SOCK_STREAM, 0),
			     .reads = true};
	cr_assert(eq(int, connect(c->fd, (struct sockaddr *)&at.sa, at.n), 0));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->got = evbuffer_new();
	return c;
}

/* All of it, while the server reads. */
void send_span(struct client *c, struct span s)
{
	int64_t end = clock_ms() + DEADLINE_MS;

	while (s.n > 0 && !c->closed) {
		ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);

		cr_assert(clock_ms() < end, "it is not read");
		if (n < 0 && errno != EAGAIN)
			return;
		if (n > 0)
			s = span_of(s.p + n, s.n - (size_t)n);
		loop_run(loop);
	}
}

void send_text(struct client *c, const char *text)
{
	send_span(c, span_str(text));
}

struct client *waits_for;
size_t wants_number;
static size_t wants_bytes;

static bool has_bytes(void)
{
	return evbuffer_get_length(waits_for->got) >= wants_bytes || waits_for->closed;
}

static bool is_closed(void)
{
	return waits_for->closed;
}

void until_closed(struct client *c)
{
	waits_for = c;
	until(is_closed);
}

/* One answer: its status; its body into body, which has room for it. */
int answer(struct client *c, char *body, size_t room)
{
	struct evbuffer_ptr blank;
	size_t length = 0;
	char *head, *found;
	int status;

	waits_for = c;
	wants_bytes = 1;
	for (;;) {
		blank = evbuffer_search(c->got, "\r\n\r\n", 4, NULL);
		if (blank.pos >= 0)
			break;
		wants_bytes = evbuffer_get_length(c->got) + 1;
		cr_assert(not(c->closed), "it is closed");
		until(has_bytes);
	}
	head = calloc(1, (size_t)blank.pos + 5);
	evbuffer_remove(c->got, head, (size_t)blank.pos + 4);
	status = atoi(head + strlen("HTTP/1.1 "));
	found = strstr(head, "Content-Length: ");
	if (found != NULL)
		length = (size_t)atol(found + strlen("Content-Length: "));
	cr_assert(status == 100 || strstr(head, "\r\nDate: ") != NULL, "%s", head);
	free(head);
	wants_bytes = length;
	if (length > 0 && body != NULL) {
		until(has_bytes);
		cr_assert(length < room);
		evbuffer_remove(c->got, body, length);
		body[length] = '\0';
	}
	return status;
}

void expect(struct client *c, int status, const char *body)
{
	char got[4096] = "";

	cr_assert(eq(int, answer(c, got, sizeof got), status), "%s", got);
	cr_assert(eq(str, got, (char *)body));
}

/* Of one client that sends this. */
void expect_of(const char *request, int status, const char *body)
{
	struct client *c = come();

	send_text(c, request);
	expect(c, status, body);
}

int64_t refused(enum http_refusal of)
{
	return metric_value(conf.refused[of]);
}

static bool has_handled(void)
{
	return handled >= wants_number;
}

void until_handled(size_t n)
{
	wants_number = n;
	until(has_handled);
}

bool is_all_sent(void)
{
	return http_held(server) == 0;
}
