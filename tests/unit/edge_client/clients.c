#include "edge/client/clients.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

TestSuite(clients, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

Test(clients, that_drain_still_open_connections_but_keep_no_socket_for_another_request)
{
	struct client *open = client_new(), *plain = client_new();

	clients_drain(fixture.clients);
	cr_assert(clients_are_draining(fixture.clients));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_draining", NULL), 1));
	client_upgrade(open);
	cr_assert(eq(int, client_connection(open)->state, CONNECTION_OPEN));
	client_send_text(plain, GET);
	client_answer_status(plain, 200);
	cr_assert(strncmp(client_read(plain, NULL), "HTTP/1.1 200 ", 13) == 0);
	cr_assert(client_is_at_end(plain));
}

Test(clients, that_are_closed_refuse_requests_and_leave_open_connections_alone)
{
	struct client *open = client_open(), *late = client_new();

	clients_close(fixture.clients);
	client_send_text(late, UPGRADE);
	cr_assert(strncmp(client_read(late, NULL), "HTTP/1.1 503 ", 13) == 0);
	cr_assert(client_event(late) == NULL, "no event for a refused upgrade");
	cr_assert(eq(int, client_connection(open)->state, CONNECTION_OPEN));
}

Test(clients,
     a_slot_without_a_socket_counts_as_a_connection_until_its_disconnect_is_answered)
{
	struct client *k = client_open();

	client_close(k);
	fixture_pass(0);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
	cr_assert(eq(u32, clients_connections(fixture.clients), 1));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_connections", NULL), 1));
	client_answer(k, NULL);
	fixture_pass(0);
	cr_assert(eq(u32, clients_connections(fixture.clients), 0));
}

Test(clients, the_gauge_of_held_memory_is_the_unanswered_events_of_all)
{
	struct client *a = client_open(), *b = client_open();
	int64_t idle = fixture_metric("gatepost_edge_held_bytes", NULL), one;

	client_send_frame(a, 0x81, "hello", 5);
	one = fixture_metric("gatepost_edge_held_bytes", NULL) - idle;
	cr_assert(gt(i64, one, 5), "the event itself counts too");
	client_send_frame(b, 0x81, "hello", 5);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_held_bytes", NULL) - idle,
		     2 * one));
	client_answer(a, NULL);
	client_answer(b, NULL);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_held_bytes", NULL), idle));
}

Test(clients, that_are_stopped_send_a_close_frame_and_make_no_disconnect_event)
{
	struct client *k = client_open();

	clients_stop(fixture.clients);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
	cr_assert(client_event(k) == NULL, "a broker reaps its row");
	cr_assert(eq(u8, (uint8_t)client_read(k, NULL)[0], 0x88), "a close frame");
	cr_assert(client_is_at_end(k));
}
