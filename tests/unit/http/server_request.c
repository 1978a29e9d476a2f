#include "server_fixture.h"

#include <stdio.h>
#include <string.h>

TestSuite(server_request, SERVER_FIXTURE);

Test(server_request, a_request_is_handled_the_same_however_it_is_cut)
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

Test(server_request, a_chunked_body_is_handled_the_same_however_it_is_cut)
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

Test(server_request,
     pipelined_requests_are_handled_one_after_the_other_and_answered_in_order)
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

Test(server_request,
     a_connection_is_closed_when_the_request_says_so_and_what_follows_is_ignored)
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

Test(server_request, a_client_that_waits_for_100_is_told_to_go_on)
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

Test(server_request, what_breaks_the_protocol_is_refused_and_nothing_behind_it_is_handled)
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

Test(server_request, what_is_too_large_is_refused)
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

static uint64_t limit(void *arg, struct http_request *q)
{
	cr_assert(arg == &conf);
	if (span_is(q->head.path, "/no")) {
		http_reply(q, 403, NULL, 0, span_str("no"));
		return 0;
	}
	return request_header(&q->head, "Secret") ? 100 : 10;
}

Test(server_request, what_a_body_may_have_is_decided_by_the_head)
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
