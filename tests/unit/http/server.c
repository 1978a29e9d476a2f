#include "http/server.h"

#include "base/address.h"
#include "base/clock.h"

#include "../base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The real server on the real loop. Clients are plain sockets, read at the end of each turn. */

enum { CLIENTS = 40, DEADLINE_MS = 20000, KEPT = 30 };

struct client {
	int fd;
	bool closed, reads;
	struct evbuffer *got;
};

static struct loop *loop;
static struct timer *tick;
static struct http_server *server;
static struct http_conf conf;
static struct metrics *metrics;
static struct address at;
static struct client clients[CLIENTS];
static size_t n_clients;

static struct http_request *kept[KEPT];
static size_t n_kept, handled, gone, ended;
static char last
	[64]; /* the last request: its method, path, query and the body's first bytes */

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
static void until(bool (*cond)(void))
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

static void reply(struct http_request *q, struct span body)
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
static void start(void)
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

static void make(void)
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

static void end(void)
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

TestSuite(server, .init = make, .fini = end, .timeout = 60);

static struct client *come(void)
{
	struct client *c = &clients[n_clients++];

	cr_assert(n_clients <= CLIENTS);
	*c = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0), .reads = true};
	cr_assert(eq(int, connect(c->fd, (struct sockaddr *)&at.sa, at.n), 0));
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	c->got = evbuffer_new();
	return c;
}

/* All of it, while the server reads. */
static void send_span(struct client *c, struct span s)
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

static void send_text(struct client *c, const char *text)
{
	send_span(c, span_str(text));
}

static struct client *waits_for;
static size_t wants_bytes, wants_number;

static bool has_bytes(void)
{
	return evbuffer_get_length(waits_for->got) >= wants_bytes || waits_for->closed;
}

static bool is_closed(void)
{
	return waits_for->closed;
}

static void until_closed(struct client *c)
{
	waits_for = c;
	until(is_closed);
}

/* One answer: its status; its body into body, which has room for it. */
static int answer(struct client *c, char *body, size_t room)
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

static void expect(struct client *c, int status, const char *body)
{
	char got[4096] = "";

	cr_assert(eq(int, answer(c, got, sizeof got), status), "%s", got);
	cr_assert(eq(str, got, (char *)body));
}

/* Of one client that sends this. */
static void expect_of(const char *request, int status, const char *body)
{
	struct client *c = come();

	send_text(c, request);
	expect(c, status, body);
}

static int64_t refused(enum http_refusal of)
{
	return metric_value(conf.refused[of]);
}

static bool has_handled(void)
{
	return handled >= wants_number;
}

static void until_handled(size_t n)
{
	wants_number = n;
	until(has_handled);
}

#define HOST  "Host: h\r\n"
#define GET   "GET / HTTP/1.1\r\n" HOST "\r\n"
#define KEEP_ "GET /keep HTTP/1.1\r\n" HOST "\r\n"

/* ---- requests and answers ---- */

Test(server, a_request_is_handled_the_same_however_it_is_cut)
{
	static const char text[] =
		"POST /a?b=c HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";
	struct client *c;

	start();
	c = come();
	for (size_t cut = 0; cut <= sizeof text - 1; cut++) {
		send_span(c, span_of(text, cut));
		send_span(c, span_of(text + cut, sizeof text - 1 - cut));
		expect(c, 200, "hello");
		cr_assert(eq(str, last, "POST /a?b=c hello"));
	}
	for (size_t i = 0; i < sizeof text - 1; i++)
		send_span(c, span_of(text + i, 1));
	expect(c, 200, "hello");
	cr_assert(eq(sz, http_connections(server), 1));
	cr_assert(eq(u64, http_held(server), 0));
}

Test(server, a_chunked_body_is_handled_the_same_however_it_is_cut)
{
	static const char text[] =
		"POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n";
	struct client *c;

	start();
	c = come();
	for (size_t cut = 0; cut <= sizeof text - 1; cut++) {
		send_span(c, span_of(text, cut));
		send_span(c, span_of(text + cut, sizeof text - 1 - cut));
		expect(c, 200, "hello");
	}
}

Test(server, pipelined_requests_are_handled_one_after_the_other_and_answered_in_order)
{
	struct client *c;

	start();
	c = come();
	send_text(c, KEEP_ "POST /b HTTP/1.1\r\n" HOST
			   "Content-Length: 1\r\n\r\nb" KEEP_ GET);
	until_handled(1);
	send_text(c, "");
	cr_assert(eq(sz, handled, 1));
	reply(kept[0], span_str("a"));
	expect(c, 200, "a");
	expect(c, 200, "b");
	cr_assert(eq(sz, handled, 3));
	reply(kept[1], span_str("c"));
	expect(c, 200, "c");
	expect(c, 200, "");
	cr_assert(eq(sz, gone, 0));
}

Test(server, the_answer_to_head_has_the_length_and_no_body)
{
	struct client *c;

	start();
	c = come();
	send_text(c, "HEAD /large HTTP/1.1\r\n" HOST "\r\n");
	cr_assert(eq(int, answer(c, NULL, 0), 200));
	send_text(c, "POST /none HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na");
	expect(c, 204, "");
	send_text(c, GET);
	expect(c, 200, "");
}

Test(server, a_connection_is_closed_when_the_request_says_so_and_what_follows_is_ignored)
{
	struct client *c;

	start();
	c = come();
	send_text(c, "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET);
	expect(c, 200, "");
	until_closed(c);
	cr_assert(eq(sz, handled, 1));
	c = come();
	send_text(c, "GET / HTTP/1.0\r\n\r\n");
	expect(c, 200, "");
	until_closed(c);
	c = come();
	send_text(c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	expect(c, 200, "");
	send_text(c, "GET / HTTP/1.0\r\n\r\n");
	expect(c, 200, "");
}

Test(server, a_client_that_waits_for_100_is_told_to_go_on)
{
	struct client *c;

	start();
	c = come();
	send_text(c, "POST / HTTP/1.1\r\n" HOST
		     "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	cr_assert(eq(int, answer(c, NULL, 0), 100));
	cr_assert(eq(sz, handled, 0));
	send_text(c, "ab");
	expect(c, 200, "ab");
	send_text(c, "POST / HTTP/1.1\r\n" HOST
		     "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab");
	expect(c, 200, "ab");
	send_text(c, "POST / HTTP/1.1\r\n" HOST
		     "Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
	cr_assert(eq(int, answer(c, (char[200]){0}, 200), 413));
}

static bool is_all_sent(void)
{
	return http_held(server) == 0;
}

Test(server, a_large_answer_arrives_whole_at_a_client_that_reads_late)
{
	struct client *c;
	size_t n = 8 << 20;
	char *body = malloc(n + 1);

	conf.memory = 16 << 20;
	start();
	c = come();
	c->reads = false;
	send_text(c, "GET /large HTTP/1.1\r\n" HOST "\r\n" GET);
	until_handled(1);
	cr_assert(http_held(server) > 1 << 20);
	cr_assert(eq(sz, handled, 1), "the next one waits until it is read");
	c->reads = true;
	cr_assert(eq(int, answer(c, body, n + 1), 200));
	for (size_t i = 0; i < n; i++)
		cr_assert(body[i] == 'a' + (char)(i >> 20));
	expect(c, 200, "");
	until(is_all_sent);
	free(body);
}

/* ---- refusals ---- */

static void expect_refusal(const char *request, int status, enum http_refusal of)
{
	struct client *c = come();
	int64_t before = refused(of);
	char body[300] = "";
	size_t had = handled;

	send_text(c, request);
	send_text(c, GET);
	cr_assert(eq(int, answer(c, body, sizeof body), status), "%s", request);
	cr_assert(strncmp(body, "{\"message\":\"", 12) == 0 &&
			  strcmp(body + strlen(body) - 2, "\"}") == 0,
		  "%s", body);
	until_closed(c);
	cr_assert(eq(i64, refused(of), before + 1), "%s", request);
	cr_assert(eq(sz, handled, had), "what is behind it is not handled: %s", request);
	cr_assert(eq(sz, evbuffer_get_length(c->got), 0), "%s", request);
}

Test(server, what_breaks_the_protocol_is_refused_and_nothing_behind_it_is_handled)
{
	static const struct {
		int status;
		const char *request;
	} rows[] = {
		{400, "GET / HTTP/1.1\r\n\r\n"},
		{400, "GET / HTTP/1.1\n"},
		{400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "X: y\r\n z\r\n\r\n"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Content-Length: 1\r\nContent-Length: 2\r\n\r\na"},
		{400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na"},
		{400, "POST / HTTP/1.1\r\n" HOST
		      "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na"},
		{400,
		 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\na"},
		{400, "\r\n\r\n"},
		{501,
		 "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
		{505, "GET / HTTP/2.0\r\n\r\n"},
	};

	start();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		expect_refusal(rows[i].request, rows[i].status, HTTP_REFUSED_MALFORMED);
}

Test(server, what_is_too_large_is_refused)
{
	char text[4096] = "GET /";

	start();
	expect_refusal("POST / HTTP/1.1\r\n" HOST "Content-Length: 4194305\r\n\r\n", 413,
		       HTTP_REFUSED_TOO_LARGE);
	expect_refusal("POST / HTTP/1.1\r\n" HOST
		       "Transfer-Encoding: chunked\r\n\r\n400001\r\n",
		       413, HTTP_REFUSED_TOO_LARGE);
	memset(text + 5, 'a', 2100);
	expect_refusal(text, 414, HTTP_REFUSED_TOO_LARGE);
	snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "X: %02040d\r\n\r\n", 0);
	expect_refusal(text, 431, HTTP_REFUSED_TOO_LARGE);
}

static size_t more_headers(void *arg, int status, const char *why,
			   struct response_header *out)
{
	cr_assert(arg == &conf);
	cr_assert(gt(sz, strlen(why), 10));
	out[0] = HTTP_HEADER("X-Status", status == 400 ? "bad" : "other");
	return 1;
}

static bool has_status(void)
{
	return evbuffer_search(waits_for->got, "X-Status: bad\r\n", 15, NULL).pos >= 0;
}

Test(server, a_refusal_has_the_headers_that_its_owner_adds)
{
	conf.refusal = more_headers;
	start();
	waits_for = come();
	send_text(waits_for, "GET\r\n");
	until(has_status);
}

Test(server, a_refusal_arrives_at_a_client_that_sends_its_whole_body_first)
{
	struct client *c;
	size_t n = 8 << 20;
	char *body = calloc(1, n);

	start();
	c = come();
	c->reads = false;
	send_text(c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 8388608\r\n\r\n");
	send_span(c, span_of(body, n));
	c->reads = true;
	cr_assert(eq(int, answer(c, body, n), 413));
	until_closed(c);
	free(body);
}

static uint64_t limit(void *arg, struct http_request *q)
{
	cr_assert(arg == &conf);
	if (span_is(q->head.path, "/no")) {
		http_reply(q, 403, NULL, 0, span_str("no"));
		return 0;
	}
	return request_header(&q->head, "Secret") ? 100 : 10;
}

Test(server, what_a_body_may_have_is_decided_by_the_head)
{
	struct client *c;

	conf.limit = limit;
	start();
	expect_of("POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789", 200,
		  "0123456789");
	expect_of("POST / HTTP/1.1\r\n" HOST
		  "Secret: x\r\nContent-Length: 11\r\n\r\n0123456789a",
		  200, "0123456789a");
	c = come();
	send_text(c, "POST /no HTTP/1.1\r\n" HOST
		     "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n");
	expect(c, 403, "no");
	until_closed(c);
	expect_refusal("POST / HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n", 413,
		       HTTP_REFUSED_TOO_LARGE);
}

/* ---- connections ---- */

static size_t full;

static void on_full(void *arg)
{
	cr_assert(arg == &conf);
	full++;
}

Test(server, the_connection_that_is_idle_for_longest_makes_room)
{
	struct client *idle[3], *c;

	conf.connections = 3;
	start();
	for (size_t i = 0; i < 3; i++) {
		idle[i] = come();
		send_text(idle[i], GET);
		expect(idle[i], 200, "");
	}
	send_text(idle[0], GET);
	expect(idle[0], 200, "");
	send_text(idle[1], KEEP_);
	until_handled(5);
	c = come();
	send_text(c, GET);
	expect(c, 200, "");
	until_closed(idle[2]);
	cr_assert(not(idle[0]->closed));
	cr_assert(not(idle[1]->closed));
	cr_assert(eq(i64, refused(HTTP_REFUSED_IDLE), 1));
	cr_assert(eq(sz, http_connections(server), 3));
	reply(kept[0], span_str("late"));
	expect(idle[1], 200, "late");
}

Test(server, a_newcomer_is_refused_when_each_connection_has_a_request)
{
	struct client *busy[2], *c;

	conf.connections = 2;
	conf.full = on_full;
	start();
	for (size_t i = 0; i < 2; i++) {
		busy[i] = come();
		send_text(busy[i], KEEP_);
	}
	until_handled(2);
	c = come();
	expect(c, 503, "{\"message\":\"The server is full: try again\"}");
	until_closed(c);
	cr_assert(eq(i64, refused(HTTP_REFUSED_CONNECTIONS), 1));
	cr_assert(eq(sz, full, 1));
	reply(kept[0], span_str("a"));
	expect(busy[0], 200, "a");
	expect_of(GET, 200, "");
}

Test(server, without_a_timeout_no_idle_connection_makes_room)
{
	struct client *idle;

	conf.connections = 1;
	conf.timeout_ms = 0;
	start();
	idle = come();
	send_text(idle, GET);
	expect(idle, 200, "");
	expect(come(), 503, "{\"message\":\"The server is full: try again\"}");
	send_text(idle, GET);
	expect(idle, 200, "");
}

static bool one_is_refused(void)
{
	return refused(HTTP_REFUSED_CONNECTIONS) == 1;
}

/* A client that has gone behind its request leaves its descriptor to the next one. */
Test(server, there_are_not_more_connections_than_half_of_the_descriptors)
{
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){60, 60});
	conf.connections = 1000;
	conf.requests = 0;
	start();
	for (size_t i = 0; i < 30; i++) {
		send_text(come(), KEEP_);
		until_handled(i + 1);
		evbuffer_free(clients[0].got);
		close(clients[0].fd);
		n_clients = 0;
	}
	cr_assert(eq(sz, http_connections(server), 30));
	come();
	until(one_is_refused);
}

static bool has_new_connections(void)
{
	return http_connections(server) == wants_number;
}

Test(server, newcomers_wait_while_there_is_no_descriptor)
{
	struct capture *cap = capture_start(STDERR_FILENO);
	int fds[200];
	size_t n = 0;
	struct client *c;
	char *lines;

	setrlimit(RLIMIT_NOFILE, &(struct rlimit){128, 128});
	start();
	c = come();
	while (n < 200 && (fds[n] = dup(c->fd)) >= 0)
		n++;
	cr_assert(n < 200);
	send_text(c, GET);
	cr_assert(eq(sz, http_connections(server), 0));
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	wants_number = 1;
	until(has_new_connections);
	expect(c, 200, "");
	lines = capture_end(cap);
	cr_assert(strstr(lines, "http.paused why=\"Too many open files\"") != NULL, "%s",
		  lines);
	free(lines);
}

/* ---- requests that wait, and memory ---- */

Test(server, requests_over_those_that_may_wait_are_refused_and_their_connections_kept)
{
	struct client *c, *first;

	conf.requests = 1;
	start();
	first = come();
	send_text(first, KEEP_);
	until_handled(1);
	cr_assert(eq(sz, http_waiting(server), 1));
	c = come();
	send_text(c, GET);
	expect(c, 503, "{\"message\":\"Too many requests are under way: try again\"}");
	cr_assert(eq(i64, refused(HTTP_REFUSED_REQUESTS), 1));
	reply(kept[0], span_str(""));
	expect(first, 200, "");
	cr_assert(eq(sz, http_waiting(server), 0));
	send_text(c, GET);
	expect(c, 200, "");
}

static bool holds_much(void)
{
	return http_held(server) >= wants_number;
}

Test(server, a_large_body_is_refused_while_others_hold_the_memory_and_a_small_one_is_not)
{
	struct client *first, *second;
	char *body = calloc(1, 1 << 20);

	start();
	first = come();
	send_text(first, "POST / HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n");
	send_span(first, span_of(body, 1000000));
	wants_number = 1000000;
	until(holds_much);
	second = come();
	send_text(second, "POST / HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n");
	send_span(second, span_of(body, 200000));
	expect(second, 503,
	       "{\"message\":\"No memory for large requests now: try again\"}");
	cr_assert(eq(i64, refused(HTTP_REFUSED_MEMORY), 1));
	expect_of("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na", 200, "a");
	close(first->fd);
	first->fd = dup(0);
	first->closed = true;
	until(is_all_sent);
	free(body);
}

Test(server, a_large_answer_may_be_made_when_it_is_alone)
{
	start();
	cr_assert(http_has_room(server, 0));
	http_hold(server, 2 << 20);
	cr_assert(http_has_room(server, 2 << 20));
	cr_assert(not(http_has_room(server, 0)));
	cr_assert(eq(i64, refused(HTTP_REFUSED_MEMORY), 1));
	http_release(server, 2 << 20);
	cr_assert(http_has_room(server, 0));
}

/* ---- time ---- */

Test(server, a_request_that_does_not_arrive_is_408)
{
	struct client *c;

	conf.timeout_ms = 100;
	start();
	c = come();
	send_text(c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\na");
	expect(c, 408, "{\"message\":\"The request did not arrive in time\"}");
	until_closed(c);
	c = come();
	send_text(c, "GET");
	expect(c, 408, "{\"message\":\"The request did not arrive in time\"}");
	cr_assert(eq(i64, refused(HTTP_REFUSED_LATE), 2));
}

Test(server, an_idle_connection_is_closed_and_a_request_that_waits_is_not)
{
	struct client *idle, *waits;

	conf.timeout_ms = 100;
	start();
	waits = come();
	send_text(waits, KEEP_);
	idle = come();
	until_closed(idle);
	until_closed(come());
	cr_assert(not(waits->closed));
	cr_assert(eq(i64, refused(HTTP_REFUSED_LATE), 0));
	reply(kept[0], span_str("a"));
	expect(waits, 200, "a");
}

static bool is_late(void)
{
	return refused(HTTP_REFUSED_LATE) == 1;
}

Test(server, a_client_that_does_not_read_its_answer_is_cut_and_holds_nothing)
{
	struct client *c;

	conf.timeout_ms = 200;
	start();
	c = come();
	c->reads = false;
	send_text(c, "GET /large HTTP/1.1\r\n" HOST "\r\n");
	until_handled(1);
	cr_assert(http_held(server) > 1 << 20);
	until(is_late);
	until(is_all_sent);
	cr_assert(eq(sz, http_connections(server), 0));
}

/* ---- clients that go ---- */

static bool is_gone(void)
{
	return gone == wants_number && ended == wants_number;
}

static bool one_is_gone(void)
{
	wants_number = 1;
	return is_gone();
}

Test(server, a_client_that_sends_no_more_gets_its_answers)
{
	struct client *c;

	start();
	c = come();
	send_text(c, KEEP_ GET GET);
	shutdown(c->fd, SHUT_WR);
	until_handled(1);
	send_text(c, "");
	cr_assert(eq(sz, gone, 0));
	reply(kept[0], span_str("a"));
	expect(c, 200, "a");
	expect(c, 200, "");
	expect(c, 200, "");
	until_closed(c);
}

Test(server, where_it_is_a_hang_up_a_client_that_sends_no_more_is_gone)
{
	struct client *c;

	conf.half_close = false;
	start();
	c = come();
	send_text(c, KEEP_);
	until_handled(1);
	shutdown(c->fd, SHUT_WR);
	until(one_is_gone);
	cr_assert(eq(sz, http_waiting(server), 0));
}

static void reset(struct client *c)
{
	struct linger none = {1, 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close(c->fd);
	c->fd = dup(0);
	c->closed = true;
}

Test(server, who_waits_is_told_once_that_a_client_has_hung_up)
{
	start();
	send_text(come(), KEEP_);
	until_handled(1);
	reset(&clients[0]);
	until(one_is_gone);
	cr_assert(eq(sz, http_waiting(server), 0));
	cr_assert(eq(sz, http_connections(server), 0));
	cr_assert(eq(u64, http_held(server), 0));
}

static bool has_no_connection(void)
{
	return http_connections(server) == 0;
}

Test(server, an_answer_to_a_client_that_has_just_gone_is_harmless)
{
	start();
	send_text(come(), KEEP_);
	until_handled(1);
	reset(&clients[0]);
	reply(kept[0], span_str("a")); /* the server has not seen it yet */
	until(has_no_connection);
	send_text(come(), KEEP_);
	until_handled(2);
	cr_assert(eq(sz, gone, 0));
	cr_assert(eq(sz, ended, 1));
}

Test(server, a_client_that_waits_and_sends_on_is_not_read_beyond_64_KiB)
{
	struct client *c;
	char *body = calloc(1, 16 << 20);
	ssize_t n;
	size_t sent = 0;

	start();
	c = come();
	send_text(c, KEEP_);
	until_handled(1);
	for (int i = 0; i < 100; i++) {
		n = send(c->fd, body, 16 << 20, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
		loop_run(loop);
	}
	cr_assert(sent > 64 * 1024);
	cr_assert(http_held(server) < 66 * 1024);
	cr_assert(eq(sz, gone, 0));
	free(body);
}

Test(server, where_an_end_is_a_hang_up_so_is_more_than_64_KiB_sent_ahead)
{
	struct client *c;
	char *body = calloc(1, 1 << 20);

	conf.half_close = false;
	start();
	c = come();
	send_text(c, KEEP_);
	until_handled(1);
	send_span(c, span_of(body, 60 * 1024));
	cr_assert(eq(sz, gone, 0));
	send_span(c, span_of(body, 1 << 20));
	until(one_is_gone);
	free(body);
}

Test(server, that_is_freed_tells_those_who_wait_and_closes_all)
{
	start();
	for (int i = 0; i < 3; i++)
		send_text(come(), KEEP_);
	send_text(come(), "POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\na");
	until_handled(3);
	http_server_free(server);
	server = NULL;
	cr_assert(eq(sz, gone, 3));
	cr_assert(eq(sz, ended, 3));
	for (size_t i = 0; i < 4; i++)
		until_closed(&clients[i]);
}
