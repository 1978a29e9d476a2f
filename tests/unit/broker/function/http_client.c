#include "broker/function/http_client.h"

#include "base/metric.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dlfcn.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATIENCE_MS = 30000,
	MOST = 200 * 1024,
	MEMORY = 300 * 1024,
	TIMEOUT_MS = 900,
	CONNECTIONS = 8
};

/* A client, and a server on the same loop that says the same to everybody. */
static struct fixture {
	struct loop *loop;
	struct http_client *client;
	struct evconnlistener *server;
	struct bufferevent *sockets[16];
	int n_sockets, n_requests;
	struct timer *guard;
	char url[64];
	const char *answer; /* NULL: it says nothing */
	bool closes;        /* after each answer */
	int n;              /* replies */
	enum http_end end;
	int status;
	char why[100], body[100], type[40];
	bool function_error, is_stale;
	struct metrics *metrics;
	struct metric *waiting;
} fixture;

static sem_t name_servers_answer;

/* libcurl's look-up: of this one name it takes until the test lets it end. */
int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		struct addrinfo **all)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
		    struct addrinfo **);

	if (host != NULL && strcmp(host, "stuck.example") == 0) {
		sem_wait(&name_servers_answer);
		return EAI_AGAIN;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(host, port, hints, all);
}

static void on_guard(void *arg)
{
	(void)arg;
	cr_fatal("no reply came in 10 s");
}

static void on_server_written(struct bufferevent *b, void *arg)
{
	(void)arg;
	if (fixture.closes)
		shutdown(bufferevent_getfd(b), SHUT_WR);
}

static void on_server_readable(struct bufferevent *b, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(b);
	size_t n = evbuffer_get_length(in);

	(void)arg;
	if (memmem(evbuffer_pullup(in, -1), n, "{event}", 7) == NULL)
		return;
	evbuffer_drain(in, n);
	fixture.n_requests++;
	bufferevent_setcb(b, on_server_readable, on_server_written, NULL, NULL);
	if (fixture.answer != NULL && fixture.answer[0] != '\0')
		bufferevent_write(b, fixture.answer, strlen(fixture.answer));
	else if (fixture.closes)
		on_server_written(b, arg);
}

static void on_accepted(struct evconnlistener *l, evutil_socket_t fd,
			struct sockaddr *from, int n, void *arg)
{
	struct bufferevent *b = bufferevent_socket_new(evconnlistener_get_base(l), fd,
						       BEV_OPT_CLOSE_ON_FREE);

	(void)from;
	(void)n;
	(void)arg;
	cr_assert(lt(int, fixture.n_sockets, 16));
	fixture.sockets[fixture.n_sockets++] = b;
	bufferevent_setcb(b, on_server_readable, NULL, NULL, NULL);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

static int listen_on_a_free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;

	fixture.server = evconnlistener_new_bind(loop_base(fixture.loop), on_accepted,
						 NULL, LEV_OPT_CLOSE_ON_FREE, 16,
						 (struct sockaddr *)&at, sizeof at);
	cr_assert(fixture.server != NULL);
	getsockname(evconnlistener_get_fd(fixture.server), (struct sockaddr *)&at, &n);
	return ntohs(at.sin_port);
}

static void start(void)
{
	fixture.loop = loop_new();
	fixture.guard = timer_new(fixture.loop, on_guard, NULL);
	fixture.metrics = metrics_new();
	fixture.client =
		http_client_new(fixture.loop, &(struct http_client_conf){
						      .connect_ms = 1000,
						      .max_response = MOST,
						      .max_connections = CONNECTIONS,
						      .memory = MEMORY,
						      .metrics = fixture.metrics,
					      });
	fixture.waiting =
		metric_gauge(fixture.metrics, "gatepost_broker_http_waiting", NULL, NULL);
	snprintf(fixture.url, sizeof fixture.url, "http://127.0.0.1:%d/f",
		 listen_on_a_free_port());
}

static void stop_server(void)
{
	for (int i = 0; i < fixture.n_sockets; i++)
		bufferevent_free(fixture.sockets[i]);
	fixture.n_sockets = 0;
	if (fixture.server != NULL)
		evconnlistener_free(fixture.server);
	fixture.server = NULL;
}

static void end(void)
{
	http_client_free(fixture.client);
	stop_server();
	timer_free(fixture.guard);
	loop_free(fixture.loop);
	metrics_free(fixture.metrics);
}

TestSuite(http_client, .init = start, .fini = end);

static void on_reply(void *arg, const struct http_reply *r)
{
	fixture.n++;
	fixture.end = r->end;
	fixture.status = r->status;
	fixture.function_error = r->function_error;
	fixture.is_stale = r->is_stale;
	snprintf(fixture.why, sizeof fixture.why, "%s", r->why ? r->why : "");
	snprintf(fixture.body, sizeof fixture.body, "%.*s", SPAN_ARG(r->body));
	snprintf(fixture.type, sizeof fixture.type, "%.*s", SPAN_ARG(r->content_type));
	loop_stop(arg);
}

static void post_for(const char *url, int64_t ms)
{
	struct blob *event = blob_new(span_str("{event}"));

	http_client_post(fixture.client,
			 &(struct http_post){.url = url, .body = event, .timeout_ms = ms},
			 on_reply, fixture.loop);
	blob_unref(event);
}

static void post(const char *url)
{
	post_for(url, TIMEOUT_MS);
}

/* Until there are n replies in all. */
static void run_until(int n)
{
	timer_after(fixture.guard, PATIENCE_MS);
	while (fixture.n < n)
		loop_run(fixture.loop);
	timer_stop(fixture.guard);
}

static void ask(void)
{
	int before = fixture.n;

	post(fixture.url);
	cr_assert(eq(int, fixture.n, before), "never from inside the call");
	run_until(before + 1);
}

static void expect(const char *answer, bool closes, enum http_end want, const char *why)
{
	fixture.answer = answer;
	fixture.closes = closes;
	ask();
	cr_assert(eq(int, fixture.end, want), "%s: %s", answer, fixture.why);
	cr_assert(strstr(fixture.why, why) != NULL, "%s: %s", answer, fixture.why);
}

Test(http_client, an_answer_has_its_status_type_and_body)
{
	expect("HTTP/1.1 201 Made\r\nContent-Type: text/x\r\nContent-Length: "
	       "5\r\n\r\nhello",
	       false, HTTP_ANSWERED, "");
	cr_assert(eq(int, fixture.status, 201));
	cr_assert(eq(str, fixture.body, "hello"));
	cr_assert(eq(str, fixture.type, "text/x"));
	cr_assert(not(fixture.function_error));
}

Test(http_client, a_function_error_is_told_by_its_header)
{
	expect("HTTP/1.1 200 OK\r\nx-amz-function-error: Unhandled\r\nContent-Length: "
	       "0\r\n\r\n",
	       false, HTTP_ANSWERED, "");
	cr_assert(fixture.function_error);
}

Test(http_client, what_is_no_answer_is_broken)
{
	expect("", true, HTTP_BROKEN, "without an answer");
	expect("garbage\r\n\r\n", true, HTTP_BROKEN, "not HTTP");
	expect("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", true, HTTP_BROKEN, "");
}

/* The story: after a first answer the connection is kept, its time of connecting is 0 from
 * then on, and a function that was late was taken for one that nobody could reach. */
Test(http_client, silence_is_late_on_a_new_connection_and_on_a_kept_one)
{
	expect(NULL, false, HTTP_LATE, "Timeout");
	expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, HTTP_ANSWERED, "");
	expect(NULL, false, HTTP_LATE, "Timeout");
	cr_assert(eq(int, fixture.n_sockets, 2), "the second one was kept");
}

/* The story: libcurl asks again by itself when a kept connection ends without an answer. */
Test(http_client, a_request_is_sent_once_also_on_a_kept_connection)
{
	expect("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, HTTP_ANSWERED, "");
	expect("", true, HTTP_BROKEN, "without an answer");
	cr_assert(eq(int, fixture.n_requests, 2));
	cr_assert(fixture.is_stale);
	expect("", true, HTTP_BROKEN, "without an answer");
	cr_assert(not(fixture.is_stale), "that one was new");
}

Test(http_client, a_closed_port_is_unreachable)
{
	stop_server();
	expect("", false, HTTP_UNREACHABLE, "connect");
}

Test(http_client, a_url_that_is_none_is_unreachable)
{
	snprintf(fixture.url, sizeof fixture.url, "http://nobody.invalid/");
	expect("", false, HTTP_UNREACHABLE, "");
	snprintf(fixture.url, sizeof fixture.url, "file:///etc/passwd");
	expect("", false, HTTP_UNREACHABLE, "");
	snprintf(fixture.url, sizeof fixture.url, "http://127.0.0.1:99999/");
	expect("", false, HTTP_UNREACHABLE, "");
}

Test(http_client, a_body_may_be_as_large_as_the_limit_and_no_larger)
{
	char answer[MOST + 200];
	int head = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", MOST);

	memset(answer + head, 'x', MOST);
	answer[head + MOST] = '\0';
	expect(answer, false, HTTP_ANSWERED, "");
	head = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", MOST + 1);
	memset(answer + head, 'x', MOST + 1);
	answer[head + MOST + 1] = '\0';
	expect(answer, false, HTTP_TOOBIG, "too large");
}

/* An answer of which so much comes, and then no more. */
static char *stuck(int n)
{
	static char answer[MOST + 200];
	int head = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", MOST);

	memset(answer + head, 'x', (size_t)n);
	answer[head + n] = '\0';
	return answer;
}

static int64_t held(void)
{
	return metric_value(metric_gauge(
		fixture.metrics, "gatepost_broker_http_response_bytes", NULL, NULL));
}

Test(http_client, large_responses_that_memory_has_no_room_for_fail_and_small_ones_do_not)
{
	fixture.answer = stuck(140 * 1024);
	post_for(fixture.url, PATIENCE_MS);
	post_for(fixture.url, PATIENCE_MS);
	while (held() < 280 * 1024)
		event_base_loop(loop_base(fixture.loop), EVLOOP_ONCE);
	expect(stuck(70 * 1024), false, HTTP_FULL, "no memory");
	expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, HTTP_ANSWERED,
	       "");
	cr_assert(eq(i64, held(), 280 * 1024));
}

/* The leak sanitizer sees to what the client held. */
Test(http_client, after_http_client_free_no_callback_is_called)
{
	post(fixture.url);
	expect(NULL, false, HTTP_LATE, ""); /* one of them, or both */
	post(fixture.url);
	http_client_free(fixture.client);
	fixture.client = NULL;
	cr_assert(le(int, fixture.n, 2));
}

/* ---- more than there are connections ---- */

static const char empty[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static void post_many(int n, int64_t ms)
{
	for (int i = 0; i < n; i++)
		post_for(fixture.url, ms);
}

static int waiting(void)
{
	return (int)metric_value(fixture.waiting);
}

Test(http_client, more_than_there_are_connections_wait_and_all_are_served)
{
	fixture.answer = empty;
	post_many(10 * CONNECTIONS, PATIENCE_MS);
	cr_assert(eq(int, waiting(), 9 * CONNECTIONS));
	run_until(10 * CONNECTIONS);
	cr_assert(eq(int, fixture.end, HTTP_ANSWERED));
	cr_assert(eq(int, fixture.n_requests, 10 * CONNECTIONS));
	cr_assert(le(int, fixture.n_sockets, CONNECTIONS));
	cr_assert(eq(int, waiting(), 0));
}

Test(http_client, what_waits_for_all_of_its_time_was_never_sent)
{
	post_many(CONNECTIONS, TIMEOUT_MS);
	post_for(fixture.url, TIMEOUT_MS / 3);
	run_until(1);
	cr_assert(eq(int, fixture.end, HTTP_UNREACHABLE), "%s", fixture.why);
	cr_assert(strstr(fixture.why, "Timeout") != NULL, "%s", fixture.why);
	cr_assert(eq(int, waiting(), 0));
	run_until(1 + CONNECTIONS);
	cr_assert(eq(int, fixture.end, HTTP_LATE));
	cr_assert(eq(int, fixture.n_requests, CONNECTIONS));
}

Test(http_client, a_cancelled_wait_leaves_its_turn_to_the_next)
{
	post_many(CONNECTIONS, TIMEOUT_MS);
	post_for(fixture.url, TIMEOUT_MS / 3);
	post_for(fixture.url, PATIENCE_MS);
	run_until(1);
	cr_assert(eq(int, waiting(), 1));
	fixture.answer = empty; /* from now on */
	run_until(2 + CONNECTIONS);
	cr_assert(eq(int, fixture.end, HTTP_ANSWERED), "%s", fixture.why);
	cr_assert(eq(int, fixture.n_requests, CONNECTIONS + 1));
	cr_assert(eq(int, waiting(), 0));
}

static void on_too_late(void *arg)
{
	*(bool *)arg = true;
}

Test(http_client, the_wait_is_part_of_a_request_s_time)
{
	bool too_late = false;
	struct timer *limit = timer_new(fixture.loop, on_too_late, &too_late);

	post_many(CONNECTIONS, TIMEOUT_MS);
	post_for(fixture.url, 3 * TIMEOUT_MS);
	timer_after(limit, 3 * TIMEOUT_MS + TIMEOUT_MS / 2);
	run_until(CONNECTIONS + 1);
	timer_free(limit);
	cr_assert(eq(int, fixture.end, HTTP_LATE), "it had its turn");
	cr_assert(eq(int, fixture.n_requests, CONNECTIONS + 1));
	cr_assert(not(too_late));
}

Test(http_client, one_host_s_requests_do_not_wait_for_another_s)
{
	post_many(2 * CONNECTIONS, PATIENCE_MS);
	post("http://127.0.0.1:1/nobody");
	run_until(1);
	cr_assert(eq(int, fixture.end, HTTP_UNREACHABLE));
	cr_assert(strstr(fixture.why, "connect") != NULL, "%s", fixture.why);
	cr_assert(eq(int, waiting(), CONNECTIONS));
}

Test(http_client, a_name_that_is_being_looked_up_does_not_stop_the_loop, .timeout = 30)
{
	sem_init(&name_servers_answer, 0, 0);
	post("http://stuck.example/f");
	run_until(1);
	cr_assert(eq(int, fixture.end, HTTP_UNREACHABLE));
	fixture.answer = empty;
	post(fixture.url);
	run_until(2);
	cr_assert(eq(int, fixture.end, HTTP_ANSWERED));
	sem_post(&name_servers_answer);
}

static void on_reply_ask_again(void *arg, const struct http_reply *r)
{
	on_reply(arg, r);
	if (fixture.n <= 3 * CONNECTIONS)
		post_for(fixture.url, PATIENCE_MS);
}

Test(http_client, a_request_made_in_a_reply_callback_is_served)
{
	struct blob *event = blob_new(span_str("{event}"));
	struct http_post p = {
		.url = fixture.url, .body = event, .timeout_ms = PATIENCE_MS};

	fixture.answer = empty;
	for (int i = 0; i < 3 * CONNECTIONS; i++)
		http_client_post(fixture.client, &p, on_reply_ask_again, fixture.loop);
	blob_unref(event);
	run_until(6 * CONNECTIONS);
	cr_assert(eq(int, fixture.n_requests, 6 * CONNECTIONS));
	cr_assert(eq(int, waiting(), 0));
}

/* The leak sanitizer sees to what they held. */
Test(http_client, with_its_end_those_that_wait_are_not_called_either)
{
	post_many(3 * CONNECTIONS, PATIENCE_MS);
	post_for(fixture.url, TIMEOUT_MS / 3);
	run_until(1);
	http_client_free(fixture.client);
	fixture.client = NULL;
	cr_assert(eq(int, fixture.n, 1));
	cr_assert(eq(int, waiting(), 0));
}
