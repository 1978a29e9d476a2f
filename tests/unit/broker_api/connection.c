#include "broker/api/connection.h"

#include "fixture.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static void start(void)
{
	fixture_init();
	fixture_start();
}

TestSuite(connection, .init = start, .fini = fixture_fini, .timeout = 20);

static const char ONE[] = "/@connections/AAEAAAAMAAAAAAc=";

static struct command *last(void)
{
	return &fake_commands.all[fake_commands.n - 1];
}

Test(connection, a_body_goes_as_text_unless_it_is_none_or_the_header_says_so)
{
	static const struct {
		const char *headers, *body;
		bool binary;
	} rows[] = {
		{"", "h\xc3\xbc", false},
		{"", "", false},
		{"", "\xff", true},
		{"X-Gatepost-Binary: TRUE\r\n", "hi", true},
		{"x-gatepost-binary: false\r\n", "hi", false},
		{"X-Gatepost-Binary: 1\r\n", "hi", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct client *c = client_new();
		const struct reply *r;

		client_ask(c, "POST", ONE, rows[i].headers, rows[i].body);
		fixture_until_commands(i + 1);
		cr_assert_eq(last()->kind, COMMAND_SEND);
		cr_assert_eq(last()->binary, rows[i].binary, "%zu", i);
		cr_assert_str_eq(last()->body, rows[i].body);
		fake_commands_end(i, OK, NULL);
		r = client_reply(c);
		cr_assert_eq(r->status, 200);
		cr_assert_str_eq(r->body, "");
	}
}

Test(connection, a_message_over_the_limit_is_413_and_one_of_just_that_is_sent)
{
	char body[1002];
	struct client *c = client_new();

	memset(body, 'a', sizeof body);
	body[1001] = '\0';
	client_ask(c, "POST", ONE, "", body);
	expect_error(client_reply(c), 413, "PayloadTooLargeException");
	cr_assert_eq(fake_commands.n, 0);
	body[1000] = '\0';
	client_ask(c, "POST", ONE, "", body);
	fixture_until_commands(1);
	cr_assert_eq(last()->body_n, 1000);
}

Test(connection, each_end_of_each_command_has_its_status)
{
	static const char *const methods[] = {"POST", "GET", "DELETE"};
	static const struct {
		enum err e;
		int status;
		const char *type;
	} ends[] = {
		{ERR_NOTFOUND, 410, "GoneException"},
		{ERR_BUSY, 429, "LimitExceededException"},
		{ERR_DOWN, 503, "ServiceUnavailableException"},
	};
	struct client *c = client_new();
	size_t n = 0;

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++) {
			client_ask(c, methods[i], ONE, "", "");
			fixture_until_commands(++n);
			fake_commands_end(n - 1, ends[k].e, NULL);
			expect_error(client_reply(c), ends[k].status, ends[k].type);
		}
}

Test(connection, a_client_that_hangs_up_cancels_its_command)
{
	static const char *const methods[] = {"POST", "GET", "DELETE"};

	for (size_t i = 0; i < 3; i++) {
		struct client *c = client_new();

		client_ask(c, methods[i], ONE, "", "");
		fixture_until_commands(i + 1);
		cr_assert(!last()->is_cancelled);
		client_leave(c);
		cr_assert(last()->is_cancelled, "%s", methods[i]);
	}
}

/* ---- GET ---- */

static void end_look(size_t i, const Gatepost__Context *x, int64_t active_ms)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	uint8_t packed[500];

	o.context = (ProtobufCBinaryData){gatepost__context__pack(x, packed), packed};
	o.last_active_ms = active_ms;
	fake_commands_end(i, OK, &o);
}

Test(connection, a_get_returns_the_identity_and_the_times)
{
	Gatepost__Context x = GATEPOST__CONTEXT__INIT;
	struct client *c = client_new();
	const struct reply *r;

	x.connected_at_ms = 1795343464512;
	x.source_ip = (ProtobufCBinaryData){8, (uint8_t *)"10.0.0.7"};
	x.user_agent = (ProtobufCBinaryData){4, (uint8_t *)"a\"\nb"};
	client_ask(c, "GET", ONE, "", "");
	fixture_until_commands(1);
	end_look(0, &x, 1795343465000);
	r = client_reply(c);
	cr_assert_eq(r->status, 200);
	cr_assert(reply_has(r, "Content-Type: application/json"));
	cr_assert_str_eq(
		r->body,
		"{\"connectedAt\":\"2026-11-22T10:31:04.512Z\","
		"\"identity\":{\"sourceIp\":\"10.0.0.7\",\"userAgent\":\"a\\\"\\nb\"},"
		"\"lastActiveAt\":\"2026-11-22T10:31:05.000Z\"}");
}

Test(connection, a_context_that_cannot_be_read_is_503)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	struct client *c = client_new();

	client_ask(c, "GET", ONE, "", "");
	fixture_until_commands(1);
	o.context = (ProtobufCBinaryData){2, (uint8_t *)"\xff\xff"};
	fake_commands_end(0, OK, &o);
	expect_error(client_reply(c), 503, "ServiceUnavailableException");
}

/* ---- DELETE ---- */

static void expect_close(const char *query, uint16_t code, const char *reason)
{
	struct client *c = client_new();
	char *target = xasprintf("%s%s", ONE, query);
	size_t n = fake_commands.n;

	client_ask(c, "DELETE", target, "", "");
	fixture_until_commands(n + 1);
	cr_assert_eq(last()->kind, COMMAND_CLOSE);
	cr_assert_eq(last()->code, code, "%s", query);
	cr_assert_str_eq(last()->reason, reason);
	fake_commands_end(n, OK, NULL);
	cr_assert_eq(client_reply(c)->status, 204);
	free(target);
}

Test(connection, code_and_reason_of_a_close_may_be_given)
{
	expect_close("", 1000, "Connection Closed Normally");
	expect_close("?code=4001", 4001, "");
	expect_close("?reason=good+bye%21", 1000, "good bye!");
	expect_close("?code=3000&reason=", 3000, "");
}

Test(connection, a_code_or_reason_that_no_close_frame_can_have_is_400)
{
	static const char *const wrong[] = {
		"code=",      "code=x",
		"code=-1",    "code=+1000",
		"code=1000x", "code=1005",
		"code=1006",  "code=999",
		"code=2999",  "code=5000",
		"code=1004",  "code=66536",
		"reason=%ff", "code=99999999999999999999",
	};
	char target[400];

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(target, sizeof target, "%s?%s", ONE, wrong[i]);
		expect_error(ask("DELETE", target, ""), 400, "BadRequestException");
	}
	snprintf(target, sizeof target, "%s?reason=%0124d", ONE, 0);
	expect_error(ask("DELETE", target, ""), 400, "BadRequestException");
	cr_assert_eq(fake_commands.n, 0);
}
