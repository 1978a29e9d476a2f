#include "server_fixture.h"

#include <stdlib.h>
#include <unistd.h>

TestSuite(server_bounds, SERVER_FIXTURE);

Test(server_bounds,
     requests_over_those_that_may_wait_are_refused_and_their_connections_kept)
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
	expect(c, 503, "{\"message\":\"Too many requests are in progress, retry\"}");
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

Test(server_bounds,
     a_large_body_is_refused_while_others_hold_the_memory_and_a_small_one_is_not)
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
	expect(second, 503, "{\"message\":\"No memory for large requests now, retry\"}");
	cr_assert(eq(i64, refused(HTTP_REFUSED_MEMORY), 1));
	expect_of("POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\na", 200, "a");
	close(first->fd);
	first->fd = dup(0);
	first->closed = true;
	until(is_all_sent);
	free(body);
}

Test(server_bounds, a_large_answer_may_be_made_when_it_is_alone)
{
	start();
	cr_assert(http_has_capacity(server, 0));
	http_hold(server, 2 << 20);
	cr_assert(http_has_capacity(server, 2 << 20));
	cr_assert(not(http_has_capacity(server, 0)));
	cr_assert(eq(i64, refused(HTTP_REFUSED_MEMORY), 1));
	http_release(server, 2 << 20);
	cr_assert(http_has_capacity(server, 0));
}
