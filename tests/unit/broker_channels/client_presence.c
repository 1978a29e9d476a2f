#include "client_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const struct failure down = {"unavailable", "not now", true};

static void start(void)
{
	client_fixture_start();
	client_fixture_ns("room")->presence.members = true;
}

TestSuite(client_presence, .init = start, .fini = client_fixture_stop);

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

static bool asked(const char *what)
{
	return strcmp(client_fixture_presence(), what) == 0;
}

static const char subscribe[] =
	"{\"action\":\"subscribe\",\"id\":1,\"channel\":\"room:1\"}";

Test(client_presence, a_subscriber_joins_before_it_goes_live)
{
	const Gatepost__Subscription *s;

	client_fixture_be("u1", "{\"info\":\"tall\"}");
	client_fixture_send(subscribe);
	s = client_fixture_command(COMMAND_SUBSCRIBE);
	cr_assert(span_is(span_of(s->member.data, s->member.len),
			  "{\"user\":\"u1\",\"info\":\"tall\"}"));
	client_fixture_confirm();
	client_fixture_history("e", 3, 0, 1, 0);
	cr_assert(asked("join room:1"));
	cr_assert(not(client_fixture_is_answered()));
	client_fixture_present(NULL);
	cr_assert(has("+room:1 e/3 []"));
}

Test(client_presence, one_that_cannot_join_is_not_subscribed)
{
	client_fixture_send(subscribe);
	client_fixture_confirm();
	client_fixture_history("e", 3, 0, 1, 0);
	client_fixture_present(&down);
	cr_assert(has("-room:1\n{\"type\":\"error\""));
	cr_assert(has("\"code\":\"unavailable\""));
}

Test(client_presence, one_that_unsubscribes_leaves_first)
{
	client_fixture_send("{\"action\":\"unsubscribe\",\"channel\":\"room:1\"}");
	cr_assert(asked("leave room:1"));
	client_fixture_present(NULL);
	cr_assert(has("-room:1\n{\"type\":\"ack\""));
	client_fixture_send("{\"action\":\"unsubscribe\",\"channel\":\"room:1\"}");
	client_fixture_present(&down);
	cr_assert(not(has("-room:1")));
	cr_assert(has("\"retryable\":true"));
}

Test(client_presence, a_page_has_counts_and_members)
{
	struct span members[] = {span_str("{\"connection\":\"a\"}"),
				 span_str("{\"connection\":\"b\"}")};
	struct presence_page page = {members, 2, 9, 5, span_str("b")};

	client_fixture_send("{\"action\":\"presence\",\"id\":1,\"channel\":\"room:1\"}");
	cr_assert(asked("read room:1 after  most 100"));
	client_fixture_page(NULL, &page);
	cr_assert(
		strcmp(client_fixture_answer(),
		       "{\"type\":\"ack\",\"id\":1,\"channel\":\"room:1\","
		       "\"connections\":9,"
		       "\"users\":5,\"members\":[{\"connection\":\"a\"},{\"connection\":"
		       "\"b\"}],\"next\":\"b\"}\n") == 0,
		"%s", client_fixture_answer());
}

Test(client_presence, a_look_has_limit_and_cursor)
{
	client_fixture_send("{\"action\":\"presence\",\"channel\":\"room:1\",\"limit\":7,"
			    "\"cursor\":\"b\"}");
	cr_assert(asked("read room:1 after b most 7"));
	client_fixture_page(&down, NULL);
	cr_assert(has("\"code\":\"unavailable\""));
}

Test(client_presence, is_not_available_where_it_is_off)
{
	client_fixture_send("{\"action\":\"presence\",\"channel\":\"few:1\"}");
	cr_assert(has("\"code\":\"not_available\""));
}
