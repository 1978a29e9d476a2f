#include "broker/function/http.h"

#include "tests/unit/fakes/fake_loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define CONNECT    GATEPOST__EVENT__KIND__CONNECT
#define MESSAGE    GATEPOST__EVENT__KIND__MESSAGE
#define DISCONNECT GATEPOST__EVENT__KIND__DISCONNECT
#define HTTP       GATEPOST__EVENT__KIND__HTTP

enum { IN_FLIGHT = 3, POSTS = 8, SECOND = 1000 };

/* ---- in place of http_client.c: posts wait until the test answers them ---- */

static struct {
	char url[50], headers[300], event[2000];
	int64_t timeout_ms;
	http_client_fn *fn;
	void *arg;
} posts[POSTS];
static size_t n_posts;

void http_client_post(struct http_client *h, const struct http_post *p,
		      http_client_fn *fn, void *arg)
{
	size_t i = n_posts++, at = 0;

	(void)h;
	cr_assert(lt(sz, i, POSTS));
	snprintf(posts[i].url, sizeof posts[i].url, "%s", p->url);
	for (size_t k = 0; k < p->n; k++)
		at += (size_t)snprintf(posts[i].headers + at,
				       sizeof posts[i].headers - at, "%s;",
				       p->headers[k]);
	snprintf(posts[i].event, sizeof posts[i].event, "%.*s",
		 SPAN_ARG(blob_span(p->body)));
	posts[i].timeout_ms = p->timeout_ms;
	posts[i].fn = fn;
	posts[i].arg = arg;
}

static void reply(struct http_reply r)
{
	http_client_fn *fn = posts[0].fn;
	void *arg = posts[0].arg;

	cr_assert(gt(sz, n_posts, 0), "nothing was posted");
	memmove(posts, posts + 1, --n_posts * sizeof *posts);
	fn(arg, &r);
}

static void reply_status(int status, const char *body)
{
	reply((struct http_reply){.end = HTTP_ANSWERED,
				  .status = status,
				  .body = span_str(body),
				  .content_type = span_str("text/plain")});
}

static void reply_end(enum http_end end)
{
	reply((struct http_reply){.end = end, .why = "because"});
}

/* ---- the fixture ---- */

static struct loop *loop;
static struct metrics *metrics;
static struct http_functions *functions;
static struct integration integration;
static void *function;
static bool is_stopped;

static bool was_stopped(void *arg, int64_t since_ms)
{
	(void)arg;
	(void)since_ms;
	return is_stopped;
}

static const struct config_function config = {
	.name = (char *)"f", .handler = (char *)"http://f", .timeout_ms = 6 * SECOND};

static void start(void)
{
	loop = loop_new();
	metrics = metrics_new();
	functions = http_functions_new(
		IN_FLIGHT, &(struct http_functions_uses){.loop = loop,
							 .metrics = metrics,
							 .was_stopped = was_stopped});
	integration = http_integration(functions);
	function = integration.open(integration.arg, &config);
}

static void stop(void)
{
	if (function != NULL)
		integration.close(function);
	http_functions_free(functions);
	loop_free(loop);
	metrics_free(metrics);
}

TestSuite(http, .init = start, .fini = stop);

static const struct event_setting setting = {
	.stage = "dev", .api_id = "a", .account = "1", .region = "r"};
static const struct event_route route = {
	.key = "say", .resource = "/", .function = "f", .two_way = true};
static struct invocation in;

static struct {
	size_t n;
	enum result_kind kind;
	int status;
	bool binary;
	char body[100], why[100], header[100];
} got;

static void on_result(void *arg, const struct result *r)
{
	(void)arg;
	got.n++;
	got.kind = r->kind;
	got.status = r->status;
	got.binary = r->binary;
	snprintf(got.body, sizeof got.body, "%.*s", SPAN_ARG(r->body));
	snprintf(got.why, sizeof got.why, "%s", r->why ? r->why : "");
	snprintf(got.header, sizeof got.header, "%s",
		 r->n_headers > 0 ? r->headers[0].value : "");
}

static void invoke(Gatepost__Event__Kind kind)
{
	static uint8_t request[100];
	Gatepost__Request q = GATEPOST__REQUEST__INIT;

	in = (struct invocation){
		.setting = &setting,
		.route = &route,
		.id = id_make(1, 2, 3),
		.kind = kind,
		.seq = 9,
		.path = "/",
		.request = span_of(request, gatepost__request__pack(&q, request)),
		.body = span_str("x"),
	};
	got.n = 0;
	integration.invoke(function, &config, &in, EVENT_PROXY, on_result, NULL);
}

static void expect(enum result_kind kind)
{
	cr_assert(eq(sz, got.n, 1));
	cr_assert(eq(int, got.kind, kind));
	cr_assert(eq(sz, n_posts, 0));
}

/* ---- what is posted ---- */

Test(http, posts_the_event_with_headers_about_the_connection)
{
	char id[ID_TEXT], want[100];

	invoke(MESSAGE);
	cr_assert(eq(str, posts[0].url, "http://f"));
	cr_assert(eq(i64, posts[0].timeout_ms, 6 * SECOND));
	cr_assert(strstr(posts[0].event, "\"body\":\"x\"") != NULL);
	snprintf(want, sizeof want, "connectionid: %s;eventtype: MESSAGE;routekey: say;",
		 id_text(&in.id, id));
	cr_assert(strstr(posts[0].headers, want) != NULL, "%s", posts[0].headers);
	reply_status(200, "");
}

Test(http, names_no_route_key_in_the_headers_of_a_plain_request)
{
	invoke(HTTP);
	cr_assert(strstr(posts[0].headers, "routekey: ;") != NULL);
	reply_status(200, "");
}

Test(http, fails_at_once_for_an_event_that_cannot_be_read)
{
	invoke(MESSAGE);
	reply_status(200, "");
	in.context = span_str("\x12\x7f");
	got.n = 0;
	integration.invoke(function, &config, &in, EVENT_PROXY, on_result, NULL);
	expect(RESULT_FAILED);
}

/* ---- what comes back ---- */

Test(http, returns_a_proxy_result_or_what_came_as_it_is)
{
	invoke(MESSAGE);
	reply_status(200, " {\"statusCode\":200,\"body\":\"hi\"}");
	expect(RESULT_OK);
	cr_assert(eq(str, got.body, "hi"));
	invoke(HTTP);
	reply_status(404, "plain");
	expect(RESULT_OK);
	cr_assert(eq(int, got.status, 404));
	cr_assert(eq(str, got.body, "plain"));
	cr_assert(eq(str, got.header, "text/plain"));
}

Test(http, replaces_bytes_that_are_not_text_where_text_was_meant)
{
	invoke(MESSAGE);
	reply_status(200, "a\xff");
	expect(RESULT_OK);
	cr_assert(eq(str, got.body, "a\xef\xbf\xbd"));
	cr_assert(not(got.binary));
	invoke(MESSAGE);
	reply((struct http_reply){
		.end = HTTP_ANSWERED, .status = 200, .body = span_str("a\xff")});
	cr_assert(got.binary);
}

static const struct ending {
	struct http_reply reply;
	enum result_kind kind;
} endings[] = {
	{{.end = HTTP_ANSWERED, .status = 101}, RESULT_FAILED},
	{{.end = HTTP_ANSWERED, .status = 429}, RESULT_THROTTLED},
	{{.end = HTTP_ANSWERED, .status = 500}, RESULT_FAILED},
	{{.end = HTTP_ANSWERED, .status = 200, .function_error = true}, RESULT_FAILED},
	{{.end = HTTP_UNREACHABLE, .why = "x"}, RESULT_UNREACHABLE},
	{{.end = HTTP_BROKEN, .why = "x"}, RESULT_FAILED},
	{{.end = HTTP_BROKEN, .why = "x", .is_stale = true}, RESULT_FAILED},
	{{.end = HTTP_LATE, .why = "x"}, RESULT_TIMEOUT},
	{{.end = HTTP_TOOBIG, .why = "x"}, RESULT_FAILED},
	{{.end = HTTP_FULL, .why = "x"}, RESULT_UNREACHABLE},
};

/* How often an event of this kind is posted when each post ends so. */
static size_t tries_of(Gatepost__Event__Kind kind, const struct http_reply *r)
{
	size_t n = 0;

	invoke(kind);
	while (n_posts > 0 && n < POSTS) {
		n++;
		reply(*r);
		fake_loop_run(loop, SECOND);
	}
	return n;
}

Test(http, fails_by_how_the_post_ended_after_as_many_tries_as_its_kind_has)
{
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const struct http_reply *r = &endings[i].reply;
		size_t connects = r->end == HTTP_TOOBIG ? 1 : 3;

		cr_assert(eq(sz, tries_of(MESSAGE, r), 1), "%zu", i);
		expect(endings[i].kind);
		cr_assert(eq(sz, tries_of(HTTP, r), 1), "%zu", i);
		expect(endings[i].kind);
		cr_assert(eq(sz, tries_of(DISCONNECT, r), r->is_stale ? 2 : 1), "%zu", i);
		expect(endings[i].kind);
		cr_assert(eq(sz, tries_of(CONNECT, r), connects), "%zu", i);
		expect(endings[i].kind);
		invoke(MESSAGE); /* so that the circuit stays closed */
		reply_status(200, "");
	}
}

Test(http, waits_longer_before_each_try)
{
	invoke(CONNECT);
	reply_end(HTTP_BROKEN);
	fake_loop_run(loop, 99);
	cr_assert(eq(sz, n_posts, 0));
	fake_loop_run(loop, 1);
	reply_end(HTTP_BROKEN);
	fake_loop_run(loop, 199);
	cr_assert(eq(sz, n_posts, 0));
	fake_loop_run(loop, 1);
	reply_status(200, "{\"statusCode\":200}");
	expect(RESULT_OK);
}

/* The client would have had its 504 by then. */
Test(http, does_not_try_a_connect_again_that_would_come_too_late)
{
	invoke(CONNECT);
	fake_loop_run(loop, 25 * SECOND);
	reply_end(HTTP_LATE);
	expect(RESULT_TIMEOUT);
}

/* ---- too many ---- */

Test(http, throttles_beyond_so_many_in_flight_but_never_a_disconnect)
{
	for (int i = 0; i < IN_FLIGHT; i++)
		invoke(MESSAGE);
	invoke(CONNECT);
	cr_assert(eq(int, got.kind, RESULT_THROTTLED));
	cr_assert(eq(sz, n_posts, IN_FLIGHT));
	invoke(DISCONNECT);
	cr_assert(eq(sz, got.n, 0));
	cr_assert(eq(sz, n_posts, IN_FLIGHT + 1));
	while (n_posts > 0)
		reply_status(200, "");
	invoke(MESSAGE);
	cr_assert(eq(sz, n_posts, 1));
	reply_status(200, "");
}

/* ---- the circuit ---- */

static void fail_ten_times(enum http_end end)
{
	for (int i = 0; i < 10; i++) {
		invoke(MESSAGE);
		reply_end(end);
	}
}

Test(http, is_not_posted_to_for_a_second_after_ten_failures_in_a_row)
{
	fail_ten_times(HTTP_LATE);
	invoke(MESSAGE);
	expect(RESULT_UNREACHABLE);
	fake_loop_run(loop, SECOND);
	invoke(MESSAGE);
	cr_assert(eq(sz, n_posts, 1));
	reply_status(200, "");
	invoke(MESSAGE);
	cr_assert(eq(sz, n_posts, 1));
	reply_status(200, "");
}

Test(http, keeps_a_disconnect_until_the_function_is_tried_again)
{
	fail_ten_times(HTTP_UNREACHABLE);
	invoke(DISCONNECT);
	cr_assert(eq(sz, got.n, 0));
	cr_assert(eq(sz, n_posts, 0));
	fake_loop_run(loop, SECOND);
	cr_assert(eq(sz, n_posts, 1));
	reply_status(200, "");
	expect(RESULT_OK);
}

Test(http, that_throws_or_answers_too_much_is_posted_to_all_the_same)
{
	for (int i = 0; i < 12; i++) {
		invoke(MESSAGE);
		reply_status(500, "");
		invoke(MESSAGE);
		reply_end(HTTP_TOOBIG);
		expect(RESULT_FAILED);
	}
}

Test(http, is_not_blamed_for_what_was_late_while_this_process_was_stopped)
{
	is_stopped = true;
	fail_ten_times(HTTP_LATE);
	invoke(MESSAGE);
	cr_assert(eq(sz, n_posts, 1));
	reply_status(200, "");
}

/* ---- its end ---- */

static void close_it(void *arg, const struct result *r)
{
	(void)r;
	got.n++;
	integration.close(arg);
	function = NULL;
}

/* The call that ends held the last reference to an old configuration. */
Test(http, may_be_closed_from_inside_of_its_last_result)
{
	invoke(MESSAGE);
	reply_status(200, "");
	integration.invoke(function, &config, &in, EVENT_PROXY, close_it, function);
	reply_status(200, "");
	cr_assert(function == NULL);
}

/* The leak sanitizer sees to it. */
Test(http, forgets_what_is_under_way_and_what_waits_for_a_try_at_the_end)
{
	invoke(CONNECT);
	reply_end(HTTP_BROKEN);
	invoke(MESSAGE);
	cr_assert(eq(sz, got.n, 0));
}
