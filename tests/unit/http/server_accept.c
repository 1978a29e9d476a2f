#include "server_fixture.h"

#include "../base/capture.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

TestSuite(server_accept, SERVER_FIXTURE);

static size_t full;

static void on_full(void *arg)
{
	cr_assert(arg == &conf);
	full++;
}

Test(server_accept, the_connection_that_is_idle_for_longest_makes_room)
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

Test(server_accept, a_newcomer_is_refused_when_each_connection_has_a_request)
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
	expect(c, 503, "{\"message\":\"The server is full, retry\"}");
	until_closed(c);
	cr_assert(eq(i64, refused(HTTP_REFUSED_CONNECTIONS), 1));
	cr_assert(eq(sz, full, 1));
	reply(kept[0], span_str("a"));
	expect(busy[0], 200, "a");
	expect_of(GET, 200, "");
}

Test(server_accept, without_a_timeout_no_idle_connection_makes_room)
{
	struct client *idle;

	conf.connections = 1;
	conf.timeout_ms = 0;
	start();
	idle = come();
	send_text(idle, GET);
	expect(idle, 200, "");
	expect(come(), 503, "{\"message\":\"The server is full, retry\"}");
	send_text(idle, GET);
	expect(idle, 200, "");
}

static bool one_is_refused(void)
{
	return refused(HTTP_REFUSED_CONNECTIONS) == 1;
}

/* A client that has gone behind its request leaves its descriptor to the next one. */
Test(server_accept, there_are_not_more_connections_than_half_of_the_descriptors)
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

Test(server_accept, newcomers_wait_while_there_is_no_descriptor)
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

Test(server_accept, a_server_listens_at_several_addresses_of_either_family)
{
	static const char *const addresses[] = {"127.0.0.1:0", "127.0.0.2:0", "[::1]:0"};
	const char *why;
	int fd;

	conf.connections = 4;
	start();
	expect_of(GET, 200, "");
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		fd = address_listen_at(addresses[i], false, &at, &why);
		cr_assert(ge(int, fd, 0));
		http_server_listen(server, fd);
		expect_of(GET, 200, "");
	}
	cr_assert(eq(sz, http_connections(server), 4));
	send_text(come(), GET); /* one bound holds for all of them */
	until_closed(&clients[0]);
	cr_assert(eq(i64, refused(HTTP_REFUSED_IDLE), 1));
}
