#include "edge/client/websocket.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

TestSuite(websocket, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

/* The close code of what it is sent; 0: no close frame. Its reason is behind it. */
static unsigned read_close(struct client *k, char reason[125])
{
	size_t n;
	const uint8_t *in = (const uint8_t *)client_read(k, &n);

	if (n < 4 || in[0] != 0x88)
		return 0;
	if (reason != NULL) {
		memcpy(reason, in + 4, n - 4);
		reason[n - 4] = '\0';
	}
	return (unsigned)(in[2] << 8 | in[3]);
}

static const struct lane_event *event_is(const struct client *k, int kind,
					 const char *body)
{
	const struct lane_event *e = client_last_event(k);

	cr_assert(e != NULL);
	cr_assert(eq(int, e->kind, kind));
	cr_assert(span_is(blob_span(e->body), body));
	return e;
}

/* ---- messages ---- */

Test(websocket, a_text_message_is_an_event)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "hello", 5);
	cr_assert(not(event_is(k, GATEPOST__EVENT__KIND__MESSAGE, "hello")->binary));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_messages_received_total", NULL),
		     1));
	cr_assert(eq(i64,
		     fixture_metric("gatepost_edge_message_bytes_received_total", NULL),
		     5));
}

Test(websocket, a_binary_message_is_an_event_that_says_so)
{
	struct client *k = client_open();

	client_send_frame(k, 0x82, "hello", 5);
	cr_assert(event_is(k, GATEPOST__EVENT__KIND__MESSAGE, "hello")->binary);
}

Test(websocket, frames_of_one_message_are_one_event_with_a_ping_answered_between_them)
{
	struct client *k = client_open();

	client_send_frame(k, 0x01, "he", 2);
	client_send_frame(k, 0x89, "p", 1);
	cr_assert(eq(str, (char *)client_read(k, NULL), "\x8a\x01p"));
	cr_assert(client_event(k) == NULL);
	client_send_frame(k, 0x00, "l", 1);
	client_send_frame(k, 0x80, "lo", 2);
	event_is(k, GATEPOST__EVENT__KIND__MESSAGE, "hello");
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
	cr_assert(client_connection(k)->reader == NULL);
}

Test(websocket, a_pong_is_no_event_and_gets_no_answer)
{
	struct client *k = client_open();

	client_send_frame(k, 0x8a, "x", 1);
	cr_assert(eq(str, (char *)client_read(k, NULL), ""));
	cr_assert(client_event(k) == NULL);
}

Test(websocket, an_answer_goes_to_the_client_as_one_frame)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "x", 1);
	client_answer_frame(k, "yes");
	cr_assert(eq(str, (char *)client_read(k, NULL), "\x81\x03yes"));
}

/* ---- what breaks the protocol ---- */

struct broken {
	char why[40];
	uint8_t op;
	char payload[8];
	size_t n;
	unsigned code;
};

ParameterizedTestParameters(websocket, what_breaks_the_protocol_is_closed_with_its_code)
{
	static struct broken rows[] = {
		{"a continuation of nothing", 0x80, "x", 1, 1002},
		{"a reserved bit", 0xc1, "x", 1, 1002},
		{"an opcode that is not known", 0x83, "x", 1, 1002},
		{"a fragmented ping", 0x09, "x", 1, 1002},
		{"text that is not UTF-8", 0x81, "\xff", 1, 1007},
		{"a close frame of one byte", 0x88, "x", 1, 1002},
		{"a close code that is not allowed", 0x88, "\x03\xed", 2, 1002},
	};
	return cr_make_param_array(struct broken, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct broken *r, websocket,
		  what_breaks_the_protocol_is_closed_with_its_code)
{
	struct client *k = client_open();

	client_send_frame(k, r->op, r->payload, r->n);
	cr_assert(eq(u32, read_close(k, NULL), r->code), "%s", r->why);
	cr_assert(client_is_at_end(k), "%s", r->why);
	cr_assert(eq(u16, client_last_event(k)->code, r->code), "%s", r->why);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_broken_total", NULL), 1));
}

Test(websocket, a_frame_without_a_mask_is_1002)
{
	struct client *k = client_open();

	client_send(k, "\x81\x01x", 3);
	cr_assert(eq(u32, read_close(k, NULL), 1002));
}

Test(websocket, a_frame_over_the_limit_is_1009_before_its_payload_has_come)
{
	struct client *k = client_open();

	client_send(k, "\x81\xfe\xc3\x51\0\0\0\0", 8); /* 50001 bytes */
	cr_assert(eq(u32, read_close(k, NULL), 1009));
}

Test(websocket, a_binary_message_is_1003_where_they_are_refused)
{
	struct client *k = client_open();

	fixture.clients->conf.binary = EDGE_BINARY_REFUSE;
	client_send_frame(k, 0x82, "x", 1);
	cr_assert(eq(u32, read_close(k, NULL), 1003));
	cr_assert(client_event(k)->kind == GATEPOST__EVENT__KIND__DISCONNECT);
}

Test(websocket, over_the_memory_of_all_a_large_message_is_1013_and_a_small_one_is_not)
{
	struct client *k = client_open();
	static char piece[20000];

	fixture.clients->held_bytes += 2000000;
	client_send_frame(k, 0x01, "small", 5);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
	client_send_frame(k, 0x00, piece, sizeof piece);
	cr_assert(eq(u32, read_close(k, NULL), 1013));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_shed_total", NULL), 1));
	fixture.clients->held_bytes -= 2000000;
}

/* ---- the close handshake ---- */

Test(websocket, a_close_frame_is_answered_with_its_code_alone_and_is_the_disconnect)
{
	struct client *k = client_open();
	char reason[125];

	client_send_frame(k, 0x88, "\x0f\xa1why", 5);
	cr_assert(eq(u32, read_close(k, reason), 4001));
	cr_assert(eq(str, reason, ""));
	cr_assert(client_is_at_end(k));
	cr_assert(eq(u16, event_is(k, GATEPOST__EVENT__KIND__DISCONNECT, "why")->code,
		     4001));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_closed_total", NULL), 1));
}

Test(websocket, an_empty_close_frame_is_answered_with_an_empty_one_and_is_1005)
{
	struct client *k = client_open();
	size_t n;

	client_send_frame(k, 0x88, "", 0);
	cr_assert(eq(int, memcmp(client_read(k, &n), "\x88\0", 2), 0));
	cr_assert(eq(sz, n, 2));
	cr_assert(eq(u16,
		     event_is(k, GATEPOST__EVENT__KIND__DISCONNECT,
			      "Client-side close frame status not set")
			     ->code,
		     1005));
}

Test(websocket, what_the_client_said_before_its_close_frame_is_answered_before_ours)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "x", 1);
	client_send_frame(k, 0x88, "\x03\xe8", 2);
	cr_assert(eq(str, (char *)client_read(k, NULL), ""));
	client_answer_frame(k, "yes");
	cr_assert(eq(int, memcmp(client_read(k, NULL), "\x81\x03yes\x88\x02\x03\xe8", 9),
		     0));
	cr_assert(client_is_at_end(k));
}

Test(websocket, what_comes_behind_a_close_frame_is_no_event)
{
	struct client *k = client_open();

	client_send(k, "\x88\x82\0\0\0\0\x03\xe8\x81\x81\0\0\0\0x", 15);
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
}

Test(websocket, after_our_close_frame_only_the_clients_counts)
{
	struct client *k = client_open();

	connection_end(client_connection(k), CAUSE_COMMAND_CLOSE,
		       &(struct end_words){4002, span_str("enough")});
	client_send_frame(k, 0x81, "late", 4);
	client_send_frame(k, 0x89, "p", 1);
	cr_assert(eq(u32, read_close(k, NULL), 4002));
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
	client_send_frame(k, 0x88, "\x0f\xa2", 2);
	cr_assert(client_is_at_end(k));
}

Test(websocket, garbage_after_our_close_frame_ends_the_socket_without_a_second_one)
{
	struct client *k = client_open();

	connection_end(client_connection(k), CAUSE_COMMAND_CLOSE,
		       &(struct end_words){4002, span_str("enough")});
	client_read(k, NULL);
	client_send_frame(k, 0x83, "x", 1);
	cr_assert(client_is_at_end(k));
}

Test(websocket, a_function_that_asks_for_a_close_gets_the_disconnect_with_its_code)
{
	struct client *k = client_open();
	Gatepost__Close close;
	Gatepost__Action action = action_close(&close, 4005, "");

	client_send_frame(k, 0x81, "x", 1);
	client_answer_actions(k, &action, 1);
	cr_assert(eq(u32, read_close(k, NULL), 4005));
	cr_assert(eq(u16, client_last_event(k)->code, 4005));
}

/* ---- time ---- */

Test(websocket, a_silent_client_is_pinged_and_then_cut)
{
	struct client *k = client_open();

	fixture_pass(24000);
	cr_assert(eq(str, (char *)client_read(k, NULL), ""));
	fixture_pass(2500);
	cr_assert(eq(str, (char *)client_read(k, NULL), "\x89"));
	fixture_pass(20000);
	cr_assert(client_is_at_end(k));
	cr_assert(eq(u16, client_event(k)->code, 1006));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_silent_total", NULL), 1));
}

Test(websocket, a_pong_keeps_it)
{
	struct client *k = client_open();

	for (int i = 0; i < 4; i++) {
		fixture_pass(27000);
		cr_assert(eq(str, (char *)client_read(k, NULL), "\x89"));
		client_send_frame(k, 0x8a, "", 0);
	}
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

Test(websocket, a_client_that_is_not_read_is_not_blamed_for_its_silence)
{
	struct client *k = client_open();

	for (int i = 0; i < 8; i++)
		client_send_frame(k, 0x81, "x", 1);
	fixture_pass(120000);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

Test(websocket, without_a_message_it_is_closed_after_the_idle_timeout_though_it_pongs)
{
	struct client *k = client_open();

	fixture.clients->conf.idle_ms = 60000;
	for (int i = 0; i < 3; i++) {
		fixture_pass(19000);
		client_send_frame(k, 0x8a, "", 0);
	}
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
	fixture_pass(5000);
	cr_assert(eq(u32, read_close(k, NULL), 1001));
}

/* ---- drain ---- */

static void drain(struct client *k)
{
	struct end_words words = connection_drain_words(fixture.clients);

	connection_end(client_connection(k), CAUSE_DRAIN, &words);
	fake_loop_turn(fixture.loop);
}

Test(websocket, a_drain_closes_behind_the_answers)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "x", 1);
	drain(k);
	cr_assert(eq(str, (char *)client_read(k, NULL), ""));
	client_answer_frame(k, "yes");
	cr_assert(eq(int, memcmp(client_read(k, NULL), "\x81\x03yes\x88\x11\x03\xf4", 9),
		     0));
}

Test(websocket, a_drain_first_parses_what_was_read)
{
	struct client *k = client_open();
	uint8_t many[12 * 7];

	for (int i = 0; i < 12; i++)
		memcpy(many + 7 * i, "\x81\x81\0\0\0\0x", 7);
	client_send(k, many, sizeof many);
	cr_assert(client_connection(k)->backlog != NULL);
	drain(k);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
	for (int i = 0; i < 4; i++)
		client_answer(k, NULL);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_CLOSING));
	for (int i = 0; i < 8; i++)
		client_answer(k, NULL);
	cr_assert(eq(u32, read_close(k, NULL), 1012));
}

Test(websocket, a_drain_waits_for_that_no_longer_than_the_close_timeout)
{
	struct client *k = client_open();
	uint8_t many[12 * 7];

	for (int i = 0; i < 12; i++)
		memcpy(many + 7 * i, "\x81\x81\0\0\0\0x", 7);
	client_send(k, many, sizeof many);
	drain(k);
	fixture_pass(6500);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_CLOSING));
	cr_assert(client_connection(k)->backlog == NULL);
}

Test(websocket, a_drain_closes_with_1001_in_the_profile_of_aws)
{
	struct client *k = client_open();

	fixture.clients->conf.profile = EDGE_PROFILE_AWS;
	drain(k);
	cr_assert(eq(u32, read_close(k, NULL), 1001));
}
