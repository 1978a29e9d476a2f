#include "edge/client/accept.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

TestSuite(accept, .init = fixture_defaults, .fini = fixture_stop, .timeout = 30);

static bool is_refused(struct client *k, const char *status)
{
	bool is = strncmp(client_read(k, NULL), status, strlen(status)) == 0;

	return is && client_is_at_end(k);
}

Test(accept, a_socket_becomes_a_connection_and_is_counted)
{
	fixture_start();
	cr_assert(client_connection(client_new()) != NULL);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 1));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_accepted_total", NULL), 1));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_connections", NULL), 1));
}

Test(accept, a_socket_over_the_connections_of_its_address_is_429_until_one_has_gone)
{
	struct client *first;

	fixture.conf.address_connections = 2;
	fixture_start();
	first = client_new();
	client_new();
	cr_assert(is_refused(client_new(), "HTTP/1.1 429 "));
	cr_assert(eq(i64,
		     fixture_metric("gatepost_edge_limited_total", "why=\"connections\""),
		     1));
	client_close(first);
	cr_assert(client_connection(client_new()) != NULL);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 2));
}

Test(accept, a_socket_over_the_rate_of_its_address_is_429_until_time_has_passed)
{
	fixture.conf.address_rate = 1;
	fixture.conf.address_burst = 1;
	fixture_start();
	client_new();
	cr_assert(is_refused(client_new(), "HTTP/1.1 429 "));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_limited_total", "why=\"rate\""),
		     1));
	fixture_pass(1100);
	client_new();
	cr_assert(eq(u32, clients_sockets(fixture.clients), 2));
}

Test(accept, while_clients_are_closed_a_socket_is_503)
{
	fixture_start();
	clients_close(fixture.clients);
	cr_assert(is_refused(client_new(), "HTTP/1.1 503 "));
}
