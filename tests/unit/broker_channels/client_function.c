#include "client_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const char subscribe[] = "{\"action\":\"subscribe\",\"channel\":\"default\"}";
static const char publish_1[] =
	"{\"action\":\"publish\",\"channel\":\"default\",\"data\":1}";
static const char unsubscribe[] = "{\"action\":\"unsubscribe\",\"channel\":\"default\"}";

/* The webhook of the namespace is invoked for these. */
static void hook(const char *name, unsigned on)
{
	client_fixture_ns(name)->hook = (int)client_fixture_ns("ask")->subscribe.function;
	client_fixture_ns(name)->hook_on = on;
}

static void start(void)
{
	client_fixture_start();
	hook("default",
	     CHANNEL_ON_SUBSCRIBE | CHANNEL_ON_UNSUBSCRIBE | CHANNEL_ON_PUBLISH);
}

TestSuite(client_function, .init = start, .fini = client_fixture_stop);

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

static void expect_hook(const char *action)
{
	const struct invocation *in = fake_function_invocation();

	cr_assert(eq(str, (char *)(uintptr_t)in->channel->action, (char *)action));
	cr_assert(eq(str, (char *)(uintptr_t)in->channel->name_space, "default"));
	cr_assert(span_is(in->channel->name, "default"));
}

Test(client_function, a_webhook_is_asked_before_a_subscribe)
{
	client_fixture_send(subscribe);
	expect_hook("subscribe");
	fake_function_return(200);
	client_fixture_command(COMMAND_SUBSCRIBE);
}

Test(client_function, a_webhook_refuses_a_subscribe_in_its_words)
{
	static const struct result refusal = {.kind = RESULT_OK,
					      .status = 403,
					      .has_body = true,
					      .body = {(const uint8_t *)"full", 4}};

	client_fixture_send(subscribe);
	fake_function_end(&refusal);
	cr_assert(has("\"code\":\"forbidden\",\"message\":\"full\""));
}

Test(client_function, a_webhook_gets_the_data_of_a_publish_and_may_replace_it)
{
	static const struct result other = {
		.kind = RESULT_OK, .status = 200, .data = {(const uint8_t *)"[2]", 3}};

	client_fixture_send(publish_1);
	expect_hook("publish");
	cr_assert(span_is(fake_function_invocation()->body, "1"));
	fake_function_end(&other);
	cr_assert(span_is(client_fixture_publication()->data, "[2]"));
}

Test(client_function, a_webhook_that_fails_or_takes_too_long_is_a_retryable_error)
{
	client_fixture_send(subscribe);
	fake_function_fail(RESULT_TIMEOUT);
	cr_assert(has("\"code\":\"unavailable\""));
	cr_assert(has("\"retryable\":true"));
	client_fixture_send(publish_1);
	fake_function_fail(RESULT_FAILED);
	cr_assert(has("\"code\":\"unavailable\""));
}

Test(client_function, a_webhook_is_told_of_an_unsubscribe_whatever_it_answers)
{
	client_fixture_send(unsubscribe);
	expect_hook("unsubscribe");
	fake_function_return(403);
	cr_assert(has("-default\n{\"type\":\"ack\""));
	client_fixture_send(unsubscribe);
	fake_function_fail(RESULT_FAILED);
	cr_assert(has("-default\n{\"type\":\"ack\""));
}

Test(client_function, a_webhook_is_asked_for_what_it_has_named_only)
{
	hook("default", CHANNEL_ON_PUBLISH);
	client_fixture_send(unsubscribe);
	cr_assert(has("-default\n{\"type\":\"ack\""));
	client_fixture_send(subscribe);
	client_fixture_command(COMMAND_SUBSCRIBE);
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

Test(client_function, a_webhook_is_not_asked_when_the_rule_refuses)
{
	hook("users", CHANNEL_ON_SUBSCRIBE);
	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"users:1\"}");
	cr_assert(has("\"code\":\"forbidden\""));
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

Test(client_function, a_webhook_is_asked_after_the_function_of_the_rule)
{
	hook("ask", CHANNEL_ON_SUBSCRIBE);
	client_fixture_send("{\"action\":\"subscribe\",\"channel\":\"ask:1\"}");
	fake_function_return(200);
	cr_assert(eq(sz, fake_function_waiting(), 1), "the webhook's turn");
	fake_function_return(200);
	client_fixture_command(COMMAND_SUBSCRIBE);
}

Test(client_function,
     a_webhook_is_not_asked_for_what_a_function_has_chosen_or_a_subscriber_reads)
{
	static const struct client_fixture_chosen list[] = {
		{"publish", "{\"channel\":\"default\",\"data\":1}"}, {NULL, NULL}};

	client_fixture_choose(list, "");
	cr_assert(eq(sz, fake_function_waiting(), 0));
	client_fixture_publication();
	client_fixture_published(&(struct published){.failure = NULL});
	hook("room", ~0u);
	client_fixture_send("{\"action\":\"history\",\"channel\":\"room:1\"}");
	cr_assert(eq(sz, fake_function_waiting(), 0));
	client_fixture_read();
}
