#include "client_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(client_publish, .init = client_fixture_start, .fini = client_fixture_stop);

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

Test(client_publish, all_members_are_handed_over)
{
	const struct publication *q;

	client_fixture_be("u1", "");
	client_fixture_send(
		"{\"action\":\"publish\",\"id\":1,\"channel\":\"room:1\",\"data\": [1] ,"
		"\"key\":\"k\",\"tags\":{\"a\":\"b\"},\"version\":5,\"receipt\":true}");
	q = client_fixture_publication();
	cr_assert(span_is(q->channel, "room:1"));
	cr_assert(span_is(q->data, "[1]"));
	cr_assert(not(q->is_binary));
	cr_assert(span_is(q->key, "k"));
	cr_assert(eq(sz, q->n_tags, 1));
	cr_assert(span_is(q->tags[0].value, "b"));
	cr_assert(q->has_version && q->version == 5 && q->receipt);
	cr_assert(span_is(q->user, "u1"));
	cr_assert(strcmp(q->ns->name, "room") == 0);
	cr_assert(q->from != NULL && q->event == 1 && q->index == 0);
	cr_assert(eq(i64, q->event_ms, 5));
	client_fixture_published(&(struct published){
		.position = {span_str("e"), 42}, .edges = 1, .connections = 2});
	cr_assert(strcmp(client_fixture_answer(),
			 "{\"type\":\"ack\",\"id\":1,\"channel\":\"room:1\",\"epoch\":"
			 "\"e\","
			 "\"offset\":42,\"edges\":1,\"connections\":2}\n") == 0);
}

Test(client_publish, each_of_an_event_has_its_own_number)
{
	client_fixture_send("[{\"action\":\"publish\",\"channel\":\"a\",\"data\":1},"
			    "{\"action\":\"publish\",\"channel\":\"b\",\"data\":2}]");
	cr_assert(eq(uint, client_fixture_publication()->index, 0));
	client_fixture_published(&(struct published){0});
	cr_assert(eq(uint, client_fixture_publication()->index, 1));
	client_fixture_published(&(struct published){0});
	cr_assert(not(client_fixture_has_failed()));
}

Test(client_publish, the_number_does_not_depend_on_what_was_refused_before_it)
{
	client_fixture_send(
		"[{\"action\":\"publish\",\"channel\":\"users:1\",\"data\":1},"
		"{\"action\":\"publish\",\"channel\":\"b\",\"data\":2}]");
	cr_assert(eq(uint, client_fixture_publication()->index, 1));
	client_fixture_published(&(struct published){0});
}

Test(client_publish, a_failure_is_the_error)
{
	static const struct failure down = {"unavailable", "not now", true};

	client_fixture_send("{\"action\":\"publish\",\"channel\":\"a\",\"data\":1}");
	client_fixture_published(&(struct published){.failure = &down});
	cr_assert(has(
		"\"code\":\"unavailable\",\"message\":\"not now\",\"retryable\":true"));
}

Test(client_publish, data_has_a_largest_size)
{
	client_fixture_send(
		"{\"action\":\"publish\",\"channel\":\"few:1\",\"data\":\"1234567\"}");
	cr_assert(has("\"code\":\"too_large\""));
	client_fixture_send(
		"{\"action\":\"publish\",\"channel\":\"few:1\",\"data\":\"123456\"}");
	client_fixture_publication();
}

static const char publish_few[] =
	"{\"action\":\"publish\",\"channel\":\"few:1\",\"data\":1}";

Test(client_publish, a_connection_has_a_rate)
{
	client_fixture_send(publish_few);
	client_fixture_published(&(struct published){0});
	client_fixture_send(publish_few);
	cr_assert(has("\"code\":\"rate\""));
	cr_assert(has("\"retryable\":true"));
	client_fixture_pass(1000);
	client_fixture_send(publish_few);
	client_fixture_publication();
}

Test(client_publish, a_user_has_a_rate_in_the_whole_cluster)
{
	client_fixture_be("u", "");
	client_fixture_send(publish_few);
	cr_assert(client_fixture_asks_rate());
	client_fixture_rate(OK, true);
	client_fixture_published(&(struct published){0});
	cr_assert(not(client_fixture_has_failed()));
	client_fixture_pass(1000);
	client_fixture_send(publish_few);
	client_fixture_rate(OK, false);
	cr_assert(has("\"code\":\"rate\""));
	client_fixture_pass(1000);
	client_fixture_send(publish_few);
	client_fixture_rate(ERR_DOWN, false);
	cr_assert(has("\"code\":\"unavailable\""));
	cr_assert(has("\"retryable\":true"));
}

Test(client_publish, an_anonymous_client_has_no_rate_of_a_user)
{
	client_fixture_send(publish_few);
	cr_assert(not(client_fixture_asks_rate()));
	client_fixture_publication();
}
