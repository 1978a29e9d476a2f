#include "edge/client/clients.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

TestSuite(clients, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

Test(clients, that_left_have_no_socket_but_are_counted_until_their_disconnect_is_answered)
{
	struct client *k = client_open();

	client_open();
	cr_assert(eq(u32, clients_sockets(fixture.clients), 2));
	client_close(k);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 1));
	cr_assert(eq(u32, clients_connections(fixture.clients), 2));
	client_answer(k, NULL);
	cr_assert(eq(u32, clients_connections(fixture.clients), 1));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_connections", NULL), 1));
}

Test(clients, show_the_memory_of_what_is_unanswered_and_of_what_is_unwritten)
{
	struct client *k = client_open();

	cr_assert(eq(i64, fixture_metric("gatepost_edge_held_bytes", NULL), 0));
	client_send_frame(k, 0x81, "x", 1);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_held_bytes", NULL),
		     client_event(k)->memory));
	client_answer(k, NULL);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_held_bytes", NULL), 0));
	connection_push(client_connection(k), blob_alloc(100));
	cr_assert(gt(i64, fixture_metric("gatepost_edge_outbox_bytes", NULL), 100));
	client_read(k, NULL);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_outbox_bytes", NULL), 0));
}

Test(clients, are_draining_from_the_first_moment_on_and_keep_their_websockets)
{
	struct client *k = client_open();

	cr_assert(not(clients_are_draining(fixture.clients)));
	clients_drain(fixture.clients);
	cr_assert(clients_are_draining(fixture.clients));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_draining", NULL), 1));
	fixture_pass(2000);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

Test(clients, that_ask_after_the_close_are_refused_with_503)
{
	struct client *k = client_new();

	clients_close(fixture.clients);
	client_send_text(k, UPGRADE);
	cr_assert(strncmp(client_read(k, NULL), "HTTP/1.1 503 ", 13) == 0);
	cr_assert(client_event(k) == NULL);
}

/* fixture_stop checks that nothing of them is left, and that nothing is counted. */
Test(clients, are_stopped_in_every_state)
{
	struct client *asked = client_new(), *head = client_new(),
		      *closing = client_open(), *gone = client_open(), *open;

	client_send_text(asked, UPGRADE);
	client_send_text(head, "GET / HT");
	client_send_frame(closing, 0x81, "x", 1);
	client_send_frame(closing, 0x88, "\x03\xe8", 2);
	client_close(gone);
	open = client_open();
	client_send_frame(open, 0x81, "x", 1);
	cr_assert(eq(u32, clients_connections(fixture.clients), 5));
	clients_stop(fixture.clients);
	fake_loop_turn(fixture.loop);
	cr_assert(eq(u32, clients_connections(fixture.clients), 0));
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
}

Test(clients, need_no_metrics)
{
	struct loop *loop = loop_new();
	struct clients *others = clients_new(&fixture.conf, loop, NULL, 1);

	cr_assert(eq(u32, clients_connections(others), 0));
	clients_stop(others);
	loop_free(loop);
	clients_free(others);
	clients_stop(NULL);
	clients_free(NULL);
}

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

Test(clients, that_are_stopped_send_a_close_frame_and_make_no_disconnect_event)
{
	struct client *k = client_open();

	clients_stop(fixture.clients);
	cr_assert(eq(u32, clients_sockets(fixture.clients), 0));
	cr_assert(client_event(k) == NULL, "a broker reaps its row");
	cr_assert(eq(u8, (uint8_t)client_read(k, NULL)[0], 0x88), "a close frame");
	cr_assert(client_is_at_end(k));
}
