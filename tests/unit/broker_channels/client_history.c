#include "client_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(client_history, .init = client_fixture_start, .fini = client_fixture_stop);

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

static void ask(const char *more)
{
	char text[200];

	snprintf(text, sizeof text,
		 "{\"action\":\"history\",\"id\":1,\"channel\":\"room:1\"%s}", more);
	client_fixture_send(text);
}

Test(client_history, the_first_hundred_are_read_by_default)
{
	const struct read_request *q;

	ask("");
	q = client_fixture_read();
	cr_assert(span_is(q->channel, "room:1"));
	cr_assert(q->after == 0 && q->until == -1 && q->limit == 100 && !q->newest);
	client_fixture_history("e", 2, 0, 1, 2);
	cr_assert(has("{\"type\":\"ack\",\"id\":1,\"channel\":\"room:1\",\"epoch\":\"e\","
		      "\"offset\":2,\"messages\":[{\"type\":\"message\""));
	cr_assert(not(has("\"next\"")));
}

Test(client_history, positions_limit_and_direction_are_handed_over)
{
	const struct read_request *q;

	ask(",\"since\":{\"epoch\":\"e\",\"offset\":3},\"until\":{\"epoch\":\"e\","
	    "\"offset\":9},"
	    "\"limit\":5,\"reverse\":true");
	q = client_fixture_read();
	cr_assert(q->after == 3 && q->until == 9 && q->limit == 5 && q->newest);
}

Test(client_history, next_is_the_last_message_of_a_page)
{
	ask(",\"limit\":2");
	client_fixture_history("e", 9, 4, 5, 2);
	cr_assert(has("\"next\":{\"epoch\":\"e\",\"offset\":6}"));
	ask(",\"limit\":2,\"since\":{\"epoch\":\"e\",\"offset\":7}");
	client_fixture_history("e", 9, 4, 8, 2);
	cr_assert(not(has("\"next\"")));
	ask(",\"limit\":2,\"until\":{\"epoch\":\"e\",\"offset\":6}");
	client_fixture_history("e", 9, 4, 5, 2);
	cr_assert(not(has("\"next\"")));
}

Test(client_history, in_reverse_the_newest_comes_first_and_next_is_below_the_last)
{
	const char *first, *last;

	ask(",\"limit\":2,\"reverse\":true");
	client_fixture_history("e", 9, 4, 8, 2);
	first = strstr(client_fixture_answer(), "\"offset\":9,\"epoch\"");
	last = strstr(client_fixture_answer(), "\"offset\":8,\"epoch\"");
	cr_assert(first != NULL && last != NULL && first < last);
	cr_assert(has("\"next\":{\"epoch\":\"e\",\"offset\":7}"));
	ask(",\"limit\":2,\"reverse\":true,\"until\":{\"epoch\":\"e\",\"offset\":6}");
	client_fixture_history("e", 9, 4, 5, 2);
	cr_assert(not(has("\"next\"")), "all above 4 were sent");
	ask(",\"limit\":2,\"reverse\":true,\"since\":{\"epoch\":\"e\",\"offset\":7}");
	client_fixture_history("e", 9, 4, 8, 2);
	cr_assert(not(has("\"next\"")), "all above since were sent");
}

Test(client_history, limit_0_is_the_position_alone)
{
	ask(",\"limit\":0");
	cr_assert(eq(i64, client_fixture_read()->limit, 0));
	client_fixture_history("e", 9, 4, 5, 0);
	cr_assert(strcmp(client_fixture_answer(),
			 "{\"type\":\"ack\",\"id\":1,\"channel\":\"room:1\",\"epoch\":"
			 "\"e\","
			 "\"offset\":9,\"messages\":[]}\n") == 0);
}

Test(client_history, a_position_of_another_epoch_is_an_error)
{
	ask(",\"since\":{\"epoch\":\"old\",\"offset\":3}");
	client_fixture_history("e", 9, 4, 5, 5);
	cr_assert(has("\"code\":\"epoch\""));
	ask(",\"until\":{\"epoch\":\"old\",\"offset\":3}");
	client_fixture_history("e", 9, 4, 5, 0);
	cr_assert(has("\"code\":\"epoch\""));
}

Test(client_history, a_failure_is_the_error)
{
	ask("");
	client_fixture_read_fails();
	cr_assert(has("\"code\":\"unavailable\""));
	cr_assert(has("\"retryable\":true"));
}

Test(client_history, a_channel_without_it_has_none)
{
	client_fixture_send("{\"action\":\"history\",\"channel\":\"a\"}");
	cr_assert(has("\"code\":\"not_available\""));
}

Test(client_history, an_array_has_room_for_some)
{
	client_fixture_send("[{\"action\":\"history\",\"channel\":\"room:1\"},"
			    "{\"action\":\"history\",\"channel\":\"room:2\"}]");
	cr_assert(eq(i64, client_fixture_read()->bytes, 256 * 1024));
	client_fixture_data = 1000;
	client_fixture_history("e", 100, 0, 1, 100);
	cr_assert(lt(i64, client_fixture_read()->bytes, 160 * 1024));
	client_fixture_data = 1000 * 1000;
	client_fixture_history("e", 1, 0, 1, 1);
	cr_assert(has("\"code\":\"limit\""));
}
