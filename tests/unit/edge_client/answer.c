#include "edge/client/answer.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

TestSuite(answer, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

static int status_of(const char *response)
{
	return strncmp(response, "HTTP/1.1 ", 9) == 0 ? atoi(response + 9) : 0;
}

static struct client *ask(const char *request)
{
	struct client *k = client_new();

	client_send_text(k, request);
	cr_assert(client_event(k) != NULL);
	return k;
}

/* An open client with a message that is not answered. */
static struct client *talking(void)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "x", 1);
	return k;
}

/* What is behind the head of a response. */
static const char *behind_head(const char *in)
{
	const char *at = strstr(in, "\r\n\r\n");

	cr_assert(at != NULL, "%s", in);
	return at + 4;
}

static void expect_read(struct client *k, const char *want, size_t want_n)
{
	size_t n;
	const char *in = client_read(k, &n);

	cr_assert(eq(sz, n, want_n));
	cr_assert(eq(int, memcmp(in, want, n), 0));
}

/* ---- to a message ---- */

Test(answer, without_actions_ends_the_event_and_the_client_gets_nothing)
{
	struct client *k = talking();

	client_answer(k, NULL);
	cr_assert(client_event(k) == NULL);
	expect_read(k, "", 0);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

Test(answer, has_its_messages_in_their_order_and_each_of_its_kind)
{
	struct client *k = talking();
	Gatepost__Action list[] = {action_text("one"), action_binary("two"),
				   action_text("")};

	client_answer_actions(k, list, 3);
	expect_read(k, "\x81\x03one\x82\x03two\x81\0", 12);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_messages_sent_total", NULL), 3));
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

Test(answer, has_its_close_behind_its_messages)
{
	struct client *k = talking();
	Gatepost__Close close;
	Gatepost__Action list[] = {action_text("bye"), action_close(&close, 4005, "no")};

	client_answer_actions(k, list, 2);
	expect_read(k,
		    "\x81\x03"
		    "bye\x88\x04\x0f\xa5no",
		    11);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_CLOSING));
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(u16, client_event(k)->code, 4005));
	cr_assert(span_is(blob_span(client_event(k)->body), "no"));
}

Test(answer, to_a_client_that_has_sent_its_close_frame_comes_before_ours)
{
	struct client *k = talking();
	Gatepost__Close close;
	Gatepost__Action list[] = {action_text("one"), action_close(&close, 4005, "")};

	client_send_frame(k, 0x88, "\x0f\xa0", 2);
	client_answer_actions(k, list, 2);
	expect_read(k, "\x81\x03one\x88\x02\x0f\xa0", 9);
	cr_assert(eq(u16, client_event(k)->code, 4000), "the client's close was first");
}

Test(answer, that_comes_behind_a_close_of_another_one_has_no_effect)
{
	struct client *k = talking();
	Gatepost__Close close;
	Gatepost__Action ends = action_close(&close, 4005, "");
	Gatepost__Action list[] = {action_text("late"), ends};

	client_send_frame(k, 0x81, "y", 1);
	client_answer_actions(k, &ends, 1);
	expect_read(k, "\x88\x02\x0f\xa5", 4);
	client_answer_actions(k, list, 2);
	expect_read(k, "", 0);
	cr_assert(eq(u32, client_connection(k)->lane.n, 1), "one disconnect");
}

Test(answer, to_a_client_that_has_gone_has_no_effect)
{
	struct client *k = talking();
	Gatepost__Close close;
	Gatepost__Action list[] = {action_text("late"), action_close(&close, 4005, "")};

	client_close(k);
	client_answer_actions(k, list, 2);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_messages_sent_total", NULL), 0));
	cr_assert(eq(u16, client_event(k)->code, 1006));
}

/* ---- to a request ---- */

Test(answer, to_a_connect_has_its_messages_and_its_close_behind_the_101)
{
	struct client *k = ask(UPGRADE);
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Close close;
	Gatepost__Action list[] = {action_response(&r), action_text("one"),
				   action_close(&close, 4005, "")};
	const char *in;

	r.status = 200;
	client_answer_actions(k, list, 3);
	in = client_read(k, NULL);
	cr_assert(eq(int, status_of(in), 101));
	cr_assert(eq(int, memcmp(behind_head(in), "\x81\x03one\x88\x02\x0f\xa5", 9), 0));
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__DISCONNECT));
}

Test(answer, to_a_connect_has_its_messages_behind_the_pushes_that_waited)
{
	struct client *k = ask(UPGRADE);
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Action list[] = {action_response(&r), action_text("two")};
	Gatepost__Frame frame = GATEPOST__FRAME__INIT;
	Gatepost__Command push = GATEPOST__COMMAND__INIT;

	frame.body = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "one"};
	push.kind = GATEPOST__COMMAND__KIND__SEND;
	push.frame = &frame;
	client_command(k, &push);
	r.status = 200;
	client_answer_actions(k, list, 2);
	cr_assert(eq(str, (char *)behind_head(client_read(k, NULL)),
		     "\x81\x03one\x81\x03two"));
}

Test(answer, to_a_connect_whose_client_has_gone_opens_and_disconnects_and_sends_nothing)
{
	struct client *k = ask(UPGRADE);
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Close close;
	Gatepost__Action list[] = {action_response(&r), action_text("one"),
				   action_close(&close, 4005, "")};

	client_close(k);
	r.status = 200;
	client_answer_actions(k, list, 3);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_opened_total", NULL), 1));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_messages_sent_total", NULL), 0));
	cr_assert(eq(u16, client_event(k)->code, 1006));
}

Test(answer, to_a_request_is_its_response)
{
	struct client *k = ask(GET);

	client_answer_status(k, 201);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 201));
}

/* ---- of the edge itself ---- */

Test(answer, a_poisoned_request_is_502)
{
	struct client *k = ask(GET);

	client_poison(k);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 502));
	cr_assert(client_is_at_end(k));
}

Test(answer, a_poisoned_connect_is_502_and_a_disconnect_follows)
{
	struct client *k = ask(UPGRADE);

	client_poison(k);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 502));
	cr_assert(eq(u16, client_event(k)->code, 1006));
}

Test(answer, a_poisoned_message_is_an_error_frame_and_the_connection_goes_on)
{
	struct client *k = client_open();

	client_send_frame(k, 0x81, "x", 1);
	client_poison(k);
	cr_assert(strstr(client_read(k, NULL) + 2, "Internal server error") != NULL);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
}

Test(answer, a_poisoned_message_of_a_client_that_has_gone_is_forgotten)
{
	struct client *k = talking();

	client_close(k);
	client_poison(k);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_messages_sent_total", NULL), 0));
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__DISCONNECT));
}
