#include "server_fixture.h"

#include <stdlib.h>
#include <unistd.h>

TestSuite(server_connection, SERVER_FIXTURE);

static bool is_gone(void)
{
	return gone == wants_number && ended == wants_number;
}

static bool one_is_gone(void)
{
	wants_number = 1;
	return is_gone();
}

Test(server_connection, a_client_that_sends_no_more_gets_its_answers)
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

Test(server_connection, where_it_is_a_hang_up_a_client_that_sends_no_more_is_gone)
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

Test(server_connection, who_waits_is_told_once_that_a_client_has_hung_up)
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

Test(server_connection, an_answer_to_a_client_that_has_just_gone_is_harmless)
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

Test(server_connection, a_client_that_waits_and_sends_on_is_not_read_beyond_64_KiB)
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

Test(server_connection, where_an_end_is_a_hang_up_so_is_more_than_64_KiB_sent_ahead)
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
