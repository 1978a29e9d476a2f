#include "client_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(client_access, .init = client_fixture_start, .fini = client_fixture_stop);

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

Test(client_access, a_rule_refuses)
{
	client_fixture_send(
		"{\"action\":\"subscribe\",\"id\":1,\"channel\":\"users:1\"}");
	cr_assert(has("{\"type\":\"error\",\"id\":1,\"channel\":\"users:1\",\"code\":"
		      "\"forbidden\""));
	cr_assert(has("\"retryable\":false"));
	client_fixture_send(
		"{\"action\":\"publish\",\"channel\":\"users:1\",\"data\":1}");
	cr_assert(has("\"code\":\"forbidden\""));
}

/* The edge's answer: is it subscribed? */
static void answer_look(bool subscribed)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	client_fixture_command(COMMAND_LOOK);
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	o.subscribed = subscribed;
	client_fixture_outcome(OK, &o);
}

Test(client_access, who_is_subscribed_may_read_though_the_rule_refuses)
{
	client_fixture_send("{\"action\":\"history\",\"channel\":\"users:1\"}");
	answer_look(false);
	cr_assert(has("\"code\":\"forbidden\""));
	client_fixture_send("{\"action\":\"history\",\"channel\":\"users:1\"}");
	answer_look(true);
	client_fixture_read();
}

Test(client_access, a_function_is_not_asked_for_what_a_subscriber_reads)
{
	client_fixture_send("{\"action\":\"history\",\"channel\":\"ask:1\"}");
	answer_look(true);
	client_fixture_history("e", 1, 1, 2, 0);
	client_fixture_send("{\"action\":\"history\",\"channel\":\"ask:1\"}");
	answer_look(false);
	fake_function_return(200);
	client_fixture_read();
}

Test(client_access, a_read_fails_when_the_edge_does_not_say)
{
	client_fixture_send("{\"action\":\"history\",\"channel\":\"users:1\"}");
	client_fixture_outcome(ERR_DOWN, NULL);
	cr_assert(has("\"code\":\"unavailable\""));
	cr_assert(has("\"retryable\":true"));
}

Test(client_access, a_user_is_who_the_context_says)
{
	client_fixture_be("u", "");
	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"users:1\"}");
	client_fixture_command(COMMAND_SUBSCRIBE);
}

Test(client_access, a_context_s_value_allows)
{
	struct config_namespace *ns = client_fixture_ns("room");

	ns->subscribe =
		(struct channel_access){.rule = CHANNEL_CONTEXT, .name = (char *)"rooms"};
	client_fixture_be("", "{\"rooms\":\"1,2\"}");
	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"room:2\"}");
	client_fixture_command(COMMAND_SUBSCRIBE);
	client_fixture_confirm();
	client_fixture_history("e", 0, 0, 1, 0);
	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"room:3\"}");
	cr_assert(has("\"code\":\"forbidden\""));
	ns->subscribe.name = NULL;
	ns->subscribe.rule = CHANNEL_ANYONE;
}

Test(client_access, a_function_is_asked_about_the_channel)
{
	const struct invocation *in;

	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"ask:1\"}");
	in = fake_function_invocation();
	cr_assert(in->channel != NULL);
	cr_assert(span_is(in->channel->name, "ask:1"));
	cr_assert(strcmp(in->channel->name_space, "ask") == 0);
	cr_assert(strcmp(in->channel->action, "subscribe") == 0);
	cr_assert(eq(sz, in->body.n, 0));
	fake_function_return(200);
	client_fixture_command(COMMAND_SUBSCRIBE);
}

Test(client_access, a_function_refuses_with_its_words)
{
	static const struct result refusal = {
		.kind = RESULT_OK,
		.status = 403,
		.has_body = true,
		.body = {(const uint8_t *)"full \"up\"", 9}};

	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"ask:1\"}");
	fake_function_end(&refusal);
	cr_assert(has("\"code\":\"forbidden\",\"message\":\"full \\\"up\\\"\""));
	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"ask:1\"}");
	fake_function_return(400);
	cr_assert(has("\"code\":\"forbidden\",\"message\":\"the function refused it\""));
}

Test(client_access, a_function_that_fails_is_a_retryable_error)
{
	static const enum result_kind kinds[] = {RESULT_FAILED, RESULT_TIMEOUT,
						 RESULT_THROTTLED, RESULT_UNREACHABLE};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"ask:1\"}");
		fake_function_fail(kinds[i]);
		cr_assert(has("\"code\":\"unavailable\""));
		cr_assert(has("\"retryable\":true"));
	}
}

Test(client_access, a_function_gets_the_data_and_may_replace_it)
{
	struct result r = {
		.kind = RESULT_OK, .status = 200, .data = span_str("{\"b\":2}")};

	client_fixture_send(
		"{\"action\":\"publish\",\"channel\":\"ask:1\",\"data\":{\"a\":1}}");
	cr_assert(span_is(fake_function_invocation()->body, "{\"a\":1}"));
	cr_assert(strcmp(fake_function_invocation()->channel->action, "publish") == 0);
	fake_function_end(&r);
	cr_assert(span_is(client_fixture_publication()->data, "{\"b\":2}"));
	client_fixture_published(&(struct published){0});
	client_fixture_send(
		"{\"action\":\"publish\",\"channel\":\"ask:1\",\"data\":{\"a\":1}}");
	fake_function_return(200);
	cr_assert(span_is(client_fixture_publication()->data, "{\"a\":1}"));
}

Test(client_access, data_of_a_function_is_strict_json)
{
	struct result r = {.kind = RESULT_OK, .status = 200, .data = span_str("NaN")};

	client_fixture_send(
		"{\"action\":\"publish\",\"channel\":\"ask:1\",\"data\":{\"a\":1}}");
	fake_function_end(&r);
	cr_assert(has("\"code\":\"unavailable\""));
}
