#include "server_fixture.h"

TestSuite(server, SERVER_FIXTURE);

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
