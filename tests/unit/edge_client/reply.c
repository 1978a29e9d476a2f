#include "edge/client/reply.h"

#include "fixture.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

TestSuite(reply, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

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

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){.len = strlen(text),
				     .data = (uint8_t *)(uintptr_t)text};
}

/* An answer with one header. */
static void answer_header(struct client *k, uint32_t status, const char *name,
			  const char *value)
{
	Gatepost__Request__Header h = GATEPOST__REQUEST__HEADER__INIT, *list = &h;
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Action action = action_response(&r);

	h.name = bytes(name);
	h.value = bytes(value);
	r.status = status;
	r.headers = &list;
	r.n_headers = 1;
	client_answer_actions(k, &action, 1);
}

/* ---- the 101 ---- */

Test(reply, an_accepted_upgrade_gets_101_with_the_key_of_rfc_6455)
{
	struct client *k = ask(UPGRADE);
	const char *in;

	client_answer_status(k, 204);
	in = client_read(k, NULL);
	cr_assert(eq(int, status_of(in), 101));
	cr_assert(strstr(in, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") !=
		  NULL);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_OPEN));
	cr_assert(client_connection(k)->handshake == NULL);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_opened_total", NULL), 1));
}

Test(reply, a_subprotocol_that_was_offered_is_chosen)
{
	struct client *k = ask(UPGRADE);

	answer_header(k, 200, "sec-websocket-protocol", "b");
	cr_assert(strstr(client_read(k, NULL), "Sec-WebSocket-Protocol: b\r\n") != NULL);
}

Test(reply, a_subprotocol_that_was_not_offered_is_left_out)
{
	struct client *k = ask(UPGRADE);

	answer_header(k, 200, "Sec-WebSocket-Protocol", "a,b");
	cr_assert(strstr(client_read(k, NULL), "Sec-WebSocket-Protocol") == NULL);
}

Test(reply, what_came_behind_the_upgrade_is_a_message_after_the_101)
{
	struct client *k = client_new();
	char both[600];
	size_t n = strlen(UPGRADE);

	memcpy(both, UPGRADE, n);
	memcpy(both + n, "\x81\x81\0\0\0\0x", 7);
	client_send(k, both, n + 7);
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
	client_answer_status(k, 200);
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__MESSAGE));
}

Test(reply, the_context_of_an_answer_replaces_the_one_of_the_request)
{
	struct client *k = ask(UPGRADE);
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Action action = action_response(&r), *list = &action;
	Gatepost__Answer a = GATEPOST__ANSWER__INIT;

	r.status = 200;
	a.actions = &list;
	a.n_actions = 1;
	a.context = bytes("granted");
	client_answer(k, &a);
	cr_assert(span_is(blob_span(client_connection(k)->lane.context), "granted"));
}

/* ---- until when ---- */

static void accept_until(struct client *k, int64_t expires_ms)
{
	Gatepost__Response r = GATEPOST__RESPONSE__INIT;
	Gatepost__Action action = action_response(&r), *list = &action;
	Gatepost__Answer a = GATEPOST__ANSWER__INIT;

	r.status = 200;
	a.actions = &list;
	a.n_actions = 1;
	a.expires_ms = expires_ms;
	client_answer(k, &a);
	client_read(k, NULL);
}

static unsigned close_code(struct client *k)
{
	size_t n;
	const uint8_t *in = (const uint8_t *)client_read(k, &n);

	for (; n >= 4 && in[0] == 0x89; n -= 2) /* pings before it */
		in += 2;
	return n >= 4 && in[0] == 0x88 ? (unsigned)(in[2] << 8 | in[3]) : 0;
}

Test(reply, a_connection_ends_with_4401_when_its_authorizer_said_so)
{
	struct client *k = ask(UPGRADE);

	accept_until(k, clock_wall_ms() + 5000);
	fixture_pass(3800);
	cr_assert(eq(u32, close_code(k), 0));
	fixture_pass(2400);
	cr_assert(eq(u32, close_code(k), 4401));
	cr_assert(eq(u16, client_event(k)->code, 4401));
}

Test(reply, the_earlier_of_expiry_and_max_age_counts)
{
	struct client *early = ask(UPGRADE), *late = ask(UPGRADE);

	fixture.clients->conf.max_age_ms = 8000;
	accept_until(early, clock_wall_ms() + 4000);
	accept_until(late, clock_wall_ms() + 20000);
	fixture_pass(10000);
	cr_assert(eq(u32, close_code(early), 4401));
	cr_assert(eq(u32, close_code(late), 1001));
}

Test(reply, max_age_is_shorter_by_its_jitter_at_most_and_never_longer)
{
	int64_t now = loop_now(fixture.loop), least = INT64_MAX, most = 0;

	fixture.clients->conf.max_age_ms = 100000;
	fixture.clients->conf.max_age_jitter = 10;
	for (int i = 0; i < 50; i++) {
		struct client *k = ask(UPGRADE);
		int64_t age;

		client_answer_status(k, 200);
		age = client_connection(k)->ends_ms - now;
		least = age < least ? age : least;
		most = age > most ? age : most;
	}
	cr_assert(ge(i64, least, 90000));
	cr_assert(le(i64, most, 100000));
	cr_assert(gt(i64, most - least, 1000));
}

/* ---- a refusal ---- */

Test(reply, a_refused_upgrade_is_the_functions_response_and_no_websocket)
{
	struct client *k = ask(UPGRADE);
	const char *in;

	client_answer_status(k, 403);
	in = client_read(k, NULL);
	cr_assert(eq(int, status_of(in), 403));
	cr_assert(strstr(in, "\r\n\r\nok") != NULL);
	cr_assert(strstr(in, "Connection: close") != NULL);
	cr_assert(client_is_at_end(k));
	cr_assert(client_event(k) == NULL, "there is no disconnect");
}

Test(reply, a_client_that_went_before_its_acceptance_is_opened_and_disconnected)
{
	struct client *k = ask(UPGRADE);

	client_close(k);
	client_answer_status(k, 200);
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__DISCONNECT));
	cr_assert(eq(u16, client_event(k)->code, 1006));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_opened_total", NULL), 1));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_closed_total", NULL), 1));
}

Test(reply, a_client_that_went_before_its_refusal_leaves_no_event)
{
	struct client *k = ask(UPGRADE);

	client_close(k);
	client_answer_status(k, 403);
	cr_assert(client_connection(k) == NULL);
}

Test(reply, an_acceptance_that_comes_while_clients_are_closed_is_503_and_a_disconnect)
{
	struct client *k = ask(UPGRADE);

	clients_close(fixture.clients);
	client_answer_status(k, 200);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 503));
	cr_assert(eq(u16, client_event(k)->code, 1006));
}

/* ---- responses ---- */

Test(reply, a_response_has_the_functions_headers_and_keeps_the_socket)
{
	struct client *k = ask(GET);
	const char *in;

	answer_header(k, 201, "X-One", "two");
	in = client_read(k, NULL);
	cr_assert(eq(int, status_of(in), 201));
	cr_assert(strstr(in, "X-One: two\r\n") != NULL);
	cr_assert(not(client_is_at_end(k)));
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_HEAD));
}

Test(reply, a_client_that_asks_for_the_end_gets_it_behind_the_response)
{
	struct client *k = ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

	client_answer_status(k, 200);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 200));
	cr_assert(client_is_at_end(k));
}

Test(reply, a_head_request_gets_the_length_of_the_body_and_no_body)
{
	struct client *k = ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
	const char *in;

	client_answer_status(k, 200);
	in = client_read(k, NULL);
	cr_assert(strstr(in, "Content-Length: 2\r\n") != NULL);
	cr_assert(eq(str, (char *)strstr(in, "\r\n\r\n"), "\r\n\r\n"));
}

Test(reply, while_the_edge_drains_no_socket_is_kept)
{
	struct client *k = ask(GET);

	clients_drain(fixture.clients);
	client_answer_status(k, 200);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 200));
	cr_assert(client_is_at_end(k));
}

Test(reply, a_client_that_pipelines_without_reading_gets_its_last_response_and_the_end)
{
	struct client *k = ask(GET);

	connection_push(client_connection(k), blob_alloc(70000));
	client_answer_status(k, 200);
	cr_assert(eq(int, client_connection(k)->state, CONNECTION_LINGER));
}

/* ---- no answer ---- */

Test(reply, a_request_that_no_broker_takes_is_503_after_some_seconds_and_forgotten)
{
	struct lane_queue q;
	struct client *k;

	fixture.is_seen = false;
	k = ask(UPGRADE);
	lane_queue_init(&q);
	lane_join_queue(&client_connection(k)->lane, &q);
	fixture_pass(4000);
	cr_assert(client_event(k) != NULL);
	lane_leave_queue(&client_connection(k)->lane);
	lane_join_queue(&client_connection(k)->lane, &q);
	fixture_pass(2500);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 503));
	cr_assert(client_event(k) == NULL);
}
