#include "edge/channels/subscription.h"

#include "base/blob.h"
#include "fixture.h"

#include "edge/channels/internal.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct member *const a = &edge.members[0], *const b = &edge.members[1];

static void start(void)
{
	channels_start();
	link_up(1);
	link_confirm_all(1);
	link_sent(1);
}

TestSuite(subscription, .init = start, .fini = channels_end, .timeout = 30);

static void has_got(struct member *m, const char *want)
{
	turn();
	cr_assert(eq(str, (char *)got(m), (char *)want));
}

static void begin(struct member *m, const char *channel)
{
	subscribe(m, 1, 1, subscription_of(channel));
	link_confirm_all(1);
	link_sent(1);
}

/* ---- pending ---- */

Test(subscription, that_is_pending_gets_what_came_above_its_position_when_it_goes_live)
{
	begin(a, "x");
	deliver("x", "e", 5, "m5");
	deliver("x", "e", 6, "m6");
	deliver("x", "e", 7, "m7");
	has_got(a, "");
	activate(a, "x", "e", 5, NULL);
	has_got(a, "m6 m7");
	deliver("x", "e", 8, "m8");
	has_got(a, "m8");
}

Test(subscription, gets_the_missed_ones_before_those_that_were_kept)
{
	begin(a, "x");
	deliver("x", "e", 5, "m5");
	deliver("x", "e", 6, "m6");
	activate(a, "x", "e", 5, "m4 m5");
	has_got(a, "m4 m5 m6");
}

Test(subscription, below_the_position_of_its_channel_catches_up_with_what_was_kept)
{
	make_live(a, subscription_of("x"), "e", 4);
	begin(b, "x");
	deliver("x", "e", 5, "m5");
	deliver("x", "e", 6, "m6");
	has_got(a, "m5 m6");
	activate(b, "x", "e", 5, NULL);
	has_got(b, "m6");
	deliver("x", "e", 7, "m7");
	has_got(b, "m7");
	has_got(a, "m7");
}

Test(subscription, below_what_was_kept_has_the_rest_asked_for)
{
	make_live(a, subscription_of("x"), "e", 4);
	begin(b, "x");
	deliver("x", "e", 5, "m5");
	activate(b, "x", "e", 2, NULL);
	cr_assert(eq(str, (char *)link_sent(1), "G(x@e/2)"));
	deliver("x", "e", 6, "m6");
	has_got(b, "");
	fill("x", "e", 2, 6, 3, "m3 m4 m5", false);
	has_got(b, "m3 m4 m5 m6");
	has_got(a, "m5 m6");
}

Test(subscription, whose_rest_is_lost_is_reset_alone)
{
	make_live(a, subscription_of("x"), "e", 4);
	begin(b, "x");
	activate(b, "x", "e", 2, NULL);
	fill("x", "e", 2, 4, 4, "m4", true);
	cr_assert(strstr(got(b), "\"epoch\":\"e\",\"offset\":4,\"recovered\":false,"
				 "\"reason\":\"trimmed\"") != NULL);
	has_got(a, "");
	deliver("x", "e", 5, "m5");
	has_got(b, "m5");
	has_got(a, "m5");
}

Test(subscription, above_the_position_of_its_channel_does_not_get_a_publication_twice)
{
	make_live(a, subscription_of("x"), "e", 4);
	begin(b, "x");
	activate(b, "x", "e", 6, "m5 m6");
	has_got(b, "m5 m6");
	cr_assert(eq(str, (char *)link_sent(1), ""), "they are on their way");
	deliver("x", "e", 5, "m5");
	deliver("x", "e", 6, "m6");
	deliver("x", "e", 7, "m7");
	has_got(a, "m5 m6 m7");
	has_got(b, "m7");
}

Test(subscription,
     above_the_position_of_its_channel_shows_a_hole_that_is_asked_for_after_a_second)
{
	make_live(a, subscription_of("x"), "e", 4);
	begin(b, "x");
	activate(b, "x", "e", 6, NULL);
	pass(1100);
	cr_assert(eq(str, (char *)link_sent(1), "I3(x@e/4) G(x@e/4)"));
	fill("x", "e", 4, 6, 5, "m5 m6", false);
	has_got(a, "m5 m6");
	has_got(b, "");
	deliver("x", "e", 7, "m7");
	has_got(b, "m7");
}

Test(subscription, of_an_older_epoch_than_its_channel_is_reset_and_gets_the_newer_one)
{
	make_live(a, subscription_of("x"), "e2", 0);
	begin(b, "x");
	deliver("x", "e2", 1, "m1");
	activate(b, "x", "e1", 7, NULL);
	turn();
	cr_assert(
		eq(str, (char *)got(b),
		   "{\"type\":\"reset\",\"channel\":\"x\",\"epoch\":\"e2\",\"offset\":0,"
		   "\"recovered\":false,\"reason\":\"epoch\"} m1"));
}

Test(subscription, of_a_newer_epoch_than_its_channel_resets_the_others)
{
	make_live(a, subscription_of("x"), "e1", 7);
	begin(b, "x");
	activate(b, "x", "e2", 1, "m1");
	has_got(b, "m1");
	cr_assert(strstr(got(a), "\"epoch\":\"e2\",\"offset\":0") != NULL);
	deliver("x", "e2", 1, "m1");
	deliver("x", "e2", 2, "m2");
	has_got(a, "m1 m2");
	has_got(b, "m2");
}

Test(subscription, without_history_gets_what_came_since_it_was_pending)
{
	make_live(a, subscription_of("x"), NULL, 0);
	deliver("x", NULL, 0, "before");
	begin(b, "x");
	deliver("x", NULL, 0, "m1");
	deliver("x", NULL, 0, "m2");
	activate(b, "x", NULL, 0, NULL);
	deliver("x", NULL, 0, "m3");
	has_got(b, "m1 m2 m3");
	has_got(a, "before m1 m2 m3");
}

Test(subscription, without_history_of_which_too_much_was_kept_is_told_that_some_is_lost)
{
	begin(a, "x");
	for (int i = 0; i < 1001; i++)
		deliver("x", NULL, 0, i == 0 ? "first" : i == 1000 ? "last" : "m");
	activate(a, "x", NULL, 0, NULL);
	turn();
	cr_assert(eq(sz, a->n, 1001));
	cr_assert(strstr(a->got,
			 "{\"type\":\"reset\",\"channel\":\"x\",\"recovered\":false,"
			 "\"reason\":\"lost\"} m m") == a->got);
	cr_assert(strstr(a->got, "last") != NULL);
}

Test(subscription, of_which_too_much_was_kept_has_the_rest_asked_for)
{
	begin(a, "x");
	for (uint64_t i = 1; i <= 1100; i++)
		deliver("x", "e", i, "m");
	activate(a, "x", "e", 0, NULL);
	cr_assert(eq(sz, a->n, 1000));
	cr_assert(eq(str, (char *)link_sent(1), "G(x@e/1000)"));
}

Test(subscription,
     that_is_subscribed_again_while_it_is_pending_answers_the_second_command)
{
	subscribe(a, 1, 7, subscription_of("x"));
	subscribe(a, 1, 8, subscription_of("x"));
	link_confirm_all(1);
	cr_assert(eq(str, (char *)link_sent(1), "I2(x) O8=OK"));
	cr_assert(eq(i64, counted("gatepost_edge_subscriptions", NULL), 1));
}

Test(subscription, that_is_not_activated_is_dropped_after_30_s)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->member = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "{}"};
	subscribe(a, 1, 7, s);
	pass(29900);
	cr_assert(eq(i64, counted("gatepost_edge_subscriptions", NULL), 1));
	pass(300);
	cr_assert(eq(i64, counted("gatepost_edge_subscriptions", NULL), 0));
	cr_assert(eq(str, a->left, "x "));
	has_got(a, "");
	activate(a, "x", "e", 0, NULL);
	has_got(a, "{\"type\":\"unsubscribed\",\"channel\":\"x\",\"reason\":\"server\"}");
}

/* ---- live ---- */

Test(subscription, that_is_live_gets_other_options_at_once_and_no_second_copy)
{
	Gatepost__FilterNode node = GATEPOST__FILTER_NODE__INIT, *nodes[] = {&node};
	ProtobufCBinaryData value = {1, (uint8_t *)(uintptr_t) "v"};
	Gatepost__Subscription *s = subscription_of("x");

	make_live(a, s, "e", 4);
	node.op = GATEPOST__FILTER_NODE__OP__EQ;
	node.tag = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "k"};
	node.values = &value;
	node.n_values = 1;
	s = subscription_of("x");
	s->filter = nodes;
	s->n_filter = 1;
	subscribe(a, 1, 7, s);
	cr_assert(eq(str, (char *)link_sent(1), "O7=OK+@e/4"));
	deliver_tagged("x", 5, "m5", "k", "other");
	deliver_tagged("x", 6, "m6", "k", "v");
	has_got(a, "m6");
	cr_assert(eq(i64, counted("gatepost_edge_channel_filtered_total", NULL), 1));
	subscribe(a, 1, 8, subscription_of("x"));
	cr_assert(eq(str, (char *)link_sent(1), "O8=OK+@e/6"), "the position moved");
	deliver_tagged("x", 7, "m7", "k", "other");
	has_got(a, "m7");
}

Test(subscription, over_the_most_of_its_namespace_is_refused)
{
	Gatepost__Subscription *s = subscription_of("room:1");

	make_live(a, s, NULL, 0);
	make_live(a, subscription_of("user:1"), NULL, 0);
	make_live(a, subscription_of("lobby"), NULL, 0);
	s = subscription_of("room:2");
	s->most = 1;
	subscribe(a, 1, 7, s);
	s = subscription_of("room:1");
	s->most = 1;
	subscribe(a, 1, 8, s);
	s = subscription_of("default:1");
	s->most = 1;
	subscribe(a, 1, 9, s);
	s->most = 2;
	subscribe(a, 1, 10, s);
	link_confirm_all(1);
	cr_assert(eq(str, (char *)link_sent(1),
		     "O7=FULL O8=OK+ O9=FULL I5(default:1) O10=OK"));
}

Test(subscription, that_a_broker_ends_tells_the_client_and_gets_nothing_more)
{
	make_live(a, subscription_of("x"), NULL, 0);
	make_live(b, subscription_of("x"), NULL, 0);
	cr_assert(subscription_unsubscribe(edge.channels, &a->subscriber, span_str("x"),
					   span_str("forbidden")));
	deliver("x", NULL, 0, "m");
	has_got(a, "{\"type\":\"unsubscribed\",\"channel\":\"x\",\"reason\":"
		   "\"forbidden\"}");
	has_got(b, "m");
	cr_assert(not(subscription_unsubscribe(edge.channels, &a->subscriber,
					       span_str("x"), span_str("server"))));
	cr_assert(eq(str, a->left, ""), "the broker knows");
}

Test(subscription, that_is_raw_ends_without_a_word)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->raw = true;
	make_live(a, s, NULL, 0);
	subscription_unsubscribe(edge.channels, &a->subscriber, span_str("x"),
				 span_str("server"));
	has_got(a, "");
}

Test(subscription, whose_token_expires_ends_by_itself)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->expires_ms = loop_now(edge.loop) + 5000;
	s->member = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "{}"};
	make_live(a, s, NULL, 0);
	s = subscription_of("x");
	s->expires_ms = loop_now(edge.loop) + 60000;
	make_live(b, s, NULL, 0);
	pass(4900);
	has_got(a, "");
	pass(1200);
	has_got(a,
		"{\"type\":\"unsubscribed\",\"channel\":\"x\",\"reason\":\"expired\"}");
	cr_assert(eq(str, a->left, "x "));
	has_got(b, "");
}

Test(subscription, that_takes_part_in_presence_is_named_at_the_end_of_its_connection)
{
	Gatepost__Subscription *s = subscription_of("x");
	struct blob *names;

	cr_assert(subscription_presence(&a->subscriber) == NULL);
	s->member = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "{}"};
	make_live(a, s, NULL, 0);
	make_live(a, subscription_of("yy"), NULL, 0);
	begin(a, "other");
	s = subscription_of("zz");
	s->member = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "{}"};
	subscribe(a, 1, 9, s);
	names = subscription_presence(&a->subscriber);
	cr_assert(eq(sz, names->n, 5));
	cr_assert(eq(int, memcmp(names->p, "\2zz\1x", 5), 0));
	blob_unref(names);
}

/* ---- memory ---- */

Test(subscription, that_is_idle_takes_less_than_100_bytes)
{
	const struct subscription *sub;
	size_t bytes = mem_chunk(sizeof *sub);

	make_live(a, subscription_of("x"), "e", 4);
	make_live(b, subscription_of("x"), "e", 4);
	sub = a->subscriber.first;
	cr_assert(sub->extra == NULL, "nothing is left of what made it live");
	cr_assert(le(sz, sub->channel->room, 3), "the array grows by half");
	cr_assert(eq(sz, sub->channel->kept.room, 0));
	cr_assert(le(sz, bytes + 2 * sizeof(struct subscription *), 100));
	cr_assert(eq(sz, sizeof(struct subscriber), sizeof(void *)));
}
