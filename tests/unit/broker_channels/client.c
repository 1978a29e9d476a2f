#include "client_fixture.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

TestSuite(client, .init = client_fixture_start, .fini = client_fixture_stop);

static void answers(const char *want)
{
	cr_assert(strcmp(client_fixture_answer(), want) == 0, "%s",
		  client_fixture_answer());
}

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

/* How many frames the answer has. */
static size_t frames(void)
{
	size_t n = 0;

	for (const char *p = client_fixture_answer(); *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

Test(client, a_ping_is_answered_with_the_time)
{
	client_fixture_send("{\"action\":\"ping\",\"id\":\"x\"}");
	cr_assert(has("{\"type\":\"ack\",\"id\":\"x\",\"time\":1"));
	cr_assert(not(client_fixture_has_failed()));
}

Test(client, an_unknown_namespace_is_an_error)
{
	client_fixture_send("{\"action\":\"subscribe\",\"id\":1,\"channel\":\"nope:1\"}");
	cr_assert(has("{\"type\":\"error\",\"id\":1,\"channel\":\"nope:1\",\"code\":"
		      "\"unknown_namespace\""));
	cr_assert(client_fixture_has_failed());
}

Test(client, what_cannot_be_a_channel_is_a_bad_request)
{
	static const char *const names[] = {"room:*", "room:{1}", "a\\u0001"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *text = xasprintf("{\"action\":\"unsubscribe\",\"channel\":\"%s\"}",
				       names[i]);

		client_fixture_send(text);
		cr_assert(has("\"code\":\"bad_request\""), "%s", text);
		free(text);
	}
}

Test(client, a_binary_message_is_a_bad_request)
{
	client_fixture_send_binary("{\"action\":\"ping\"}");
	cr_assert(has("\"code\":\"bad_request\""));
	cr_assert(eq(sz, frames(), 1));
}

Test(client, what_is_no_action_is_a_bad_request_with_its_id)
{
	client_fixture_send("{\"action\":\"nope\",\"id\":7}");
	cr_assert(has("{\"type\":\"error\",\"id\":7,\"code\":\"bad_request\""));
	client_fixture_send("hello");
	cr_assert(has("\"code\":\"bad_request\""));
}

Test(client, actions_of_an_array_are_answered_in_order)
{
	client_fixture_send(
		"[{\"action\":\"ping\",\"id\":1},{\"action\":\"unsubscribe\","
		"\"id\":2,\"channel\":\"room:1\"},{\"action\":\"publish\",\"id\":3},"
		"{\"action\":\"ping\",\"id\":4}]");
	cr_assert(not(client_fixture_is_answered()));
	client_fixture_command(COMMAND_UNSUBSCRIBE);
	client_fixture_confirm();
	cr_assert(eq(sz, frames(), 4));
	cr_assert(strstr(client_fixture_answer(), "\"id\":1") <
		  strstr(client_fixture_answer(), "\"id\":2"));
	cr_assert(has("{\"type\":\"error\",\"id\":3,\"code\":\"bad_request\",\"message\":"
		      "\"channel is missing\""));
	cr_assert(has("{\"type\":\"ack\",\"id\":4"));
}

Test(client, an_array_of_other_actions_too_is_one_bad_request)
{
	client_fixture_send("[{\"action\":\"ping\"},{\"action\":\"say\"}]");
	cr_assert(eq(sz, frames(), 1));
	cr_assert(has("\"code\":\"bad_request\""));
	client_fixture_send("[{\"action\":\"ping\"},5]");
	cr_assert(eq(sz, frames(), 1));
	cr_assert(has("\"code\":\"bad_request\""));
	client_fixture_send("[{\"action\":\"ping\"},{}]");
	cr_assert(eq(sz, frames(), 1));
}

static void send_pings(size_t n)
{
	char *text = xmalloc(n * 20 + 10);

	strcpy(text, "[");
	for (size_t i = 0; i < n; i++)
		strcat(text, i > 0 ? ",{\"action\":\"ping\"}" : "{\"action\":\"ping\"}");
	strcat(text, "]");
	client_fixture_send(text);
	free(text);
}

Test(client, an_array_has_at_most_100_actions)
{
	send_pings(100);
	cr_assert(eq(sz, frames(), 100));
	cr_assert(not(client_fixture_has_failed()));
	send_pings(101);
	cr_assert(eq(sz, frames(), 1));
	cr_assert(has("more than 100 actions"));
}

Test(client, nothing_more_is_begun_once_the_link_is_lost)
{
	client_fixture_send(
		"[{\"action\":\"unsubscribe\",\"channel\":\"room:1\"},"
		"{\"action\":\"publish\",\"channel\":\"room:1\",\"data\":1}]");
	client_fixture_lose();
	client_fixture_confirm();
	cr_assert(client_fixture_is_answered());
}

Test(client, what_a_function_has_chosen_needs_no_permission)
{
	static const struct client_fixture_chosen list[] = {
		{"subscribe", "\"users:1\""},
		{"publish", "{\"channel\":\"users:1\",\"data\":{\"a\":1}}"},
		{NULL, NULL}};

	client_fixture_choose(list, "7");
	client_fixture_command(COMMAND_SUBSCRIBE);
	client_fixture_confirm();
	client_fixture_history("e", 3, 0, 1, 0);
	cr_assert(span_is(client_fixture_publication()->data, "{\"a\":1}"));
	client_fixture_published(&(struct published){.position = {span_str("e"), 4}});
	answers("{\"type\":\"ack\",\"id\":7,\"channel\":\"users:1\",\"epoch\":\"e\","
		"\"offset\":3}\n"
		"+users:1 e/3 []\n"
		"{\"type\":\"ack\",\"id\":7,\"channel\":\"users:1\",\"epoch\":\"e\","
		"\"offset\":4}\n");
}

Test(client, what_a_function_has_chosen_must_be_strict_json)
{
	static const struct client_fixture_chosen list[] = {
		{"publish", "{\"channel\":\"room:1\",\"data\":NaN}"},
		{"subscribe", "7"},
		{NULL, NULL}};

	client_fixture_choose(list, "");
	cr_assert(eq(sz, frames(), 2));
	cr_assert(has("strict JSON"));
	cr_assert(has("an action is an object"));
}
