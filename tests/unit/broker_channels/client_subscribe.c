#include "client_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(client_subscribe, .init = client_fixture_start, .fini = client_fixture_stop);

static bool has(const char *part)
{
	return strstr(client_fixture_answer(), part) != NULL;
}

static void answers(const char *want)
{
	cr_assert(strcmp(client_fixture_answer(), want) == 0, "%s",
		  client_fixture_answer());
}

static void subscribe(const char *channel, const char *more)
{
	char text[400];

	snprintf(text, sizeof text,
		 "{\"action\":\"subscribe\",\"id\":1,\"channel\":\"%s\"%s}", channel,
		 more);
	client_fixture_send(text);
}

/* Up to the read of its position. */
static void subscribe_and_confirm(const char *channel, const char *more)
{
	subscribe(channel, more);
	client_fixture_command(COMMAND_SUBSCRIBE);
	client_fixture_confirm();
}

#define SINCE(epoch, offset) ",\"since\":{\"epoch\":\"" epoch "\",\"offset\":" #offset "}"

#define ACK "{\"type\":\"ack\",\"id\":1,\"channel\":\"room:1\","

Test(client_subscribe, the_edge_gets_all_that_it_has_to_know)
{
	struct config_namespace *ns = client_fixture_ns("room");
	const Gatepost__Subscription *s;

	ns->slow = CHANNEL_LATEST;
	ns->presence.members = true;
	ns->presence.events_ms = 1000;
	ns->limits.subscriptions = 7;
	subscribe("room:1",
		  ",\"batch\":true,\"presence\":true,\"recover\":\"cache\",\"filter\":"
		  "{\"not\":{\"tag\":\"a\",\"eq\":\"b\"}}");
	s = client_fixture_command(COMMAND_SUBSCRIBE);
	cr_assert(strcmp(client_fixture_channel(), "room:1") == 0);
	cr_assert(s->batch && s->presence_events && s->cache && !s->raw);
	cr_assert(eq(int, s->slow, GATEPOST__SUBSCRIPTION__SLOW__LATEST));
	cr_assert(eq(u32, s->most, 7));
	cr_assert(eq(sz, s->n_filter, 2));
	cr_assert(eq(int, s->filter[1]->op, GATEPOST__FILTER_NODE__OP__EQ));
	cr_assert(eq(i64, s->expires_ms, 0));
}

Test(client_subscribe, a_raw_namespace_is_raw)
{
	client_fixture_ns("default")->format = CHANNEL_RAW;
	subscribe("a", ",\"recover\":\"cache\",\"presence\":true");
	cr_assert(client_fixture_command(COMMAND_SUBSCRIBE)->raw);
	cr_assert(not(client_fixture_command(COMMAND_SUBSCRIBE)->cache));
	cr_assert(not(client_fixture_command(COMMAND_SUBSCRIBE)->presence_events));
}

Test(client_subscribe, a_bad_filter_refuses)
{
	subscribe("room:1", ",\"filter\":{\"tag\":\"a\"}");
	cr_assert(
		has("\"code\":\"bad_request\",\"message\":\"a filter has no operator\""));
}

Test(client_subscribe, without_since_it_goes_live_from_the_position)
{
	subscribe_and_confirm("room:1", "");
	cr_assert(eq(i64, client_fixture_read()->limit, 0));
	client_fixture_history("e", 5, 0, 1, 0);
	answers(ACK "\"epoch\":\"e\",\"offset\":5}\n+room:1 e/5 []\n");
}

Test(client_subscribe, without_history_there_is_no_position)
{
	subscribe_and_confirm("a", "");
	answers("{\"type\":\"ack\",\"id\":1,\"channel\":\"a\"}\n+a []\n");
	subscribe_and_confirm("a", SINCE("e", 1));
	answers("{\"type\":\"ack\",\"id\":1,\"channel\":\"a\",\"recovered\":false}\n+a "
		"[]\n");
}

Test(client_subscribe, what_was_missed_is_recovered_in_order)
{
	subscribe_and_confirm("room:1", SINCE("e", 3));
	cr_assert(eq(i64, client_fixture_read()->after, 3));
	cr_assert(eq(i64, client_fixture_read()->limit, 1000));
	cr_assert(eq(i64, client_fixture_read()->bytes, 1024 * 1024));
	client_fixture_history("e", 5, 3, 4, 2);
	answers(ACK
		"\"epoch\":\"e\",\"offset\":5,\"recovered\":true}\n+room:1 e/5 [4 5]\n");
}

Test(client_subscribe, nothing_missed_is_recovered)
{
	subscribe_and_confirm("room:1", SINCE("e", 5));
	client_fixture_history("e", 5, 5, 6, 0);
	answers(ACK "\"epoch\":\"e\",\"offset\":5,\"recovered\":true}\n+room:1 e/5 []\n");
}

Test(client_subscribe, nothing_missed_of_an_empty_channel_is_recovered)
{
	subscribe_and_confirm("room:1", SINCE("e", 0));
	client_fixture_history("e", 0, 0, 1, 0);
	answers(ACK "\"epoch\":\"e\",\"offset\":0,\"recovered\":true}\n+room:1 e/0 []\n");
}

Test(client_subscribe, what_was_trimmed_is_not_recovered)
{
	subscribe_and_confirm("room:1", SINCE("e", 3));
	client_fixture_history("e", 6, 4, 5, 2);
	answers(ACK
		"\"epoch\":\"e\",\"offset\":6,\"recovered\":false}\n+room:1 e/6 []\n");
}

Test(client_subscribe, another_epoch_is_not_recovered)
{
	subscribe_and_confirm("room:1", SINCE("old", 3));
	client_fixture_history("e", 5, 3, 4, 2);
	answers(ACK
		"\"epoch\":\"e\",\"offset\":5,\"recovered\":false}\n+room:1 e/5 []\n");
}

Test(client_subscribe, beyond_the_top_is_not_recovered)
{
	subscribe_and_confirm("room:1", SINCE("e", 6));
	client_fixture_history("e", 5, 3, 7, 0);
	answers(ACK
		"\"epoch\":\"e\",\"offset\":5,\"recovered\":false}\n+room:1 e/5 []\n");
}

Test(client_subscribe, more_than_1000_messages_are_not_recovered)
{
	subscribe_and_confirm("room:1", SINCE("e", 1));
	client_fixture_history("e", 1002, 0, 2, 1000);
	cr_assert(has("\"recovered\":false"));
	cr_assert(has("+room:1 e/1002 []"));
	subscribe_and_confirm("room:1", SINCE("e", 1));
	client_fixture_history("e", 1001, 0, 2, 1000);
	cr_assert(has("\"recovered\":true"));
}

Test(client_subscribe, what_is_larger_than_the_limit_is_not_recovered_in_part)
{
	subscribe_and_confirm("room:1", SINCE("e", 1));
	client_fixture_history("e", 9, 0, 2, 7);
	answers(ACK
		"\"epoch\":\"e\",\"offset\":9,\"recovered\":false}\n+room:1 e/9 []\n");
}

Test(client_subscribe, cache_gives_the_newest_at_every_subscribe)
{
	subscribe_and_confirm("cache:1", "");
	cr_assert(client_fixture_read()->limit == 1 && client_fixture_read()->newest);
	client_fixture_history("e", 5, 0, 5, 1);
	cr_assert(has("+cache:1 e/5 [5]"));
	cr_assert(not(has("recovered")));
	subscribe_and_confirm("cache:1", SINCE("old", 3));
	client_fixture_history("e", 5, 0, 5, 1);
	cr_assert(has("\"recovered\":true"));
	subscribe_and_confirm("cache:1", SINCE("old", 3));
	client_fixture_history("e", 0, 0, 1, 0);
	cr_assert(has("\"recovered\":false"));
}

Test(client_subscribe, the_client_s_recover_wins)
{
	subscribe_and_confirm("cache:1", ",\"recover\":\"stream\"");
	cr_assert(eq(i64, client_fixture_read()->limit, 0));
	client_fixture_history("e", 5, 0, 1, 0);
	subscribe_and_confirm("room:1", ",\"recover\":\"cache\"");
	cr_assert(eq(i64, client_fixture_read()->limit, 1));
}

Test(client_subscribe, one_that_is_live_is_acknowledged_with_what_it_has_had)
{
	Gatepost__Position p = GATEPOST__POSITION__INIT;
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	p.epoch = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "e"};
	p.offset = 8;
	o.result = GATEPOST__OUTCOME__RESULT__OK;
	o.subscribed = true;
	o.position = &p;
	subscribe("room:1", "");
	client_fixture_outcome(OK, &o);
	answers(ACK "\"epoch\":\"e\",\"offset\":8}\n");
	subscribe("room:1", SINCE("e", 8));
	client_fixture_outcome(OK, &o);
	answers(ACK "\"epoch\":\"e\",\"offset\":8,\"recovered\":true}\n");
	subscribe("room:1", SINCE("e", 7));
	client_fixture_outcome(OK, &o);
	answers(ACK "\"epoch\":\"e\",\"offset\":8,\"recovered\":false}\n");
}

Test(client_subscribe, outcomes_are_errors)
{
	Gatepost__Outcome full = GATEPOST__OUTCOME__INIT;

	full.result = GATEPOST__OUTCOME__RESULT__FULL;
	subscribe("room:1", "");
	client_fixture_outcome(ERR_BUSY, &full);
	cr_assert(has("\"code\":\"limit\""));
	cr_assert(has("\"retryable\":false"));
	subscribe("room:1", "");
	client_fixture_outcome(ERR_BUSY, NULL);
	cr_assert(has("\"code\":\"unavailable\""));
	subscribe("room:1", "");
	client_fixture_outcome(ERR_DOWN, NULL);
	cr_assert(has("\"code\":\"unavailable\""));
	cr_assert(has("\"retryable\":true"));
	subscribe("room:1", "");
	client_fixture_outcome(ERR_NOTFOUND, NULL);
	cr_assert(has("\"retryable\":true"));
}

Test(client_subscribe, one_whose_position_is_unknown_ends_with_its_error)
{
	subscribe_and_confirm("room:1", "");
	client_fixture_read_fails();
	cr_assert(has("-room:1\n{\"type\":\"error\""));
	cr_assert(has("\"code\":\"unavailable\""));
}

Test(client_subscribe, a_subscription_ends_before_its_ack)
{
	client_fixture_send(
		"{\"action\":\"unsubscribe\",\"id\":1,\"channel\":\"room:1\"}");
	answers("-room:1\n{\"type\":\"ack\",\"id\":1,\"channel\":\"room:1\"}\n");
}

#define SUBSCRIBE(id, more)                                                              \
	"{\"action\":\"subscribe\",\"id\":" #id ",\"channel\":\"room:1\"" more "}"
#define UNSUBSCRIBE "{\"action\":\"unsubscribe\",\"id\":2,\"channel\":\"room:1\"}"

Test(client_subscribe,
     subscribe_unsubscribe_subscribe_in_one_message_ends_subscribed_once)
{
	client_fixture_send("[" SUBSCRIBE(1, "") "," UNSUBSCRIBE
						 "," SUBSCRIBE(3, "") "]");
	client_fixture_command(COMMAND_SUBSCRIBE);
	client_fixture_confirm();
	client_fixture_history("e", 5, 0, 1, 0);
	client_fixture_command(COMMAND_UNSUBSCRIBE);
	client_fixture_confirm();
	client_fixture_command(COMMAND_SUBSCRIBE);
	client_fixture_confirm();
	client_fixture_history("e", 6, 0, 1, 0);
	answers(ACK "\"epoch\":\"e\",\"offset\":5}\n"
		    "{\"type\":\"ack\",\"id\":2,\"channel\":\"room:1\"}\n"
		    "{\"type\":\"ack\",\"id\":3,\"channel\":\"room:1\",\"epoch\":\"e\","
		    "\"offset\":6}\n"
		    "+room:1 e/6 []\n");
}

Test(client_subscribe, a_second_one_in_one_message_goes_live_with_the_first)
{
	client_fixture_send("[" SUBSCRIBE(1, "") "," SUBSCRIBE(2, ",\"batch\":true") "]");
	client_fixture_confirm();
	client_fixture_history("e", 5, 0, 1, 0);
	cr_assert(client_fixture_command(COMMAND_SUBSCRIBE)->batch);
	client_fixture_confirm();
	answers(ACK "\"epoch\":\"e\",\"offset\":5}\n+room:1 e/5 []\n"
		    "{\"type\":\"ack\",\"id\":2,\"channel\":\"room:1\",\"epoch\":\"e\","
		    "\"offset\":5}\n");
}

Test(client_subscribe, one_that_follows_a_failed_one_is_not_ended_by_it)
{
	client_fixture_send("[" SUBSCRIBE(1, "") "," SUBSCRIBE(2, "") "]");
	client_fixture_confirm();
	client_fixture_read_fails();
	client_fixture_confirm();
	client_fixture_history("e", 5, 0, 1, 0);
	cr_assert(not(has("-room:1")));
	cr_assert(has("+room:1 e/5 []"));
}

Test(client_subscribe, an_array_recovers_up_to_a_limit_and_refuses_the_rest)
{
	client_fixture_send("[" SUBSCRIBE(
		1, SINCE("e", 0)) ",{\"action\":\"subscribe\",\"id\":2,"
				  "\"channel\":\"room:2\"" SINCE("e", 0) "}]");
	client_fixture_confirm();
	cr_assert(eq(i64, client_fixture_read()->bytes, 512 * 1024));
	client_fixture_history("e", 600, 0, 1, 600);
	client_fixture_confirm();
	cr_assert(eq(i64, client_fixture_read()->limit, 400));
	cr_assert(lt(i64, client_fixture_read()->bytes, 512 * 1024));
	client_fixture_history("e", 500, 0, 1, 400);
	cr_assert(has("\"recovered\":true"));
	cr_assert(has("-room:2\n{\"type\":\"error\",\"id\":2,\"channel\":\"room:2\","
		      "\"code\":\"limit\""));
	cr_assert(has("\"retryable\":true"));
}
