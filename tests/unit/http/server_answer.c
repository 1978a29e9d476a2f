#include "server_fixture.h"

#include <stdlib.h>
#include <string.h>

TestSuite(server_answer, SERVER_FIXTURE);

Test(server_answer, the_answer_to_head_has_the_length_and_no_body)
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

Test(server_answer, a_large_answer_arrives_whole_at_a_client_that_reads_late)
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

Test(server_answer, a_refusal_has_the_headers_that_its_owner_adds)
{
	conf.refusal = more_headers;
	start();
	waits_for = come();
	send_text(waits_for, "GET\r\n");
	until(has_status);
}

Test(server_answer, a_refusal_arrives_at_a_client_that_sends_its_whole_body_first)
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
