#include "edge/channels/deliver.h"

#include "edge/channels/subscription.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct member *const a = &edge.members[0], *const b = &edge.members[1],
			    *const c = &edge.members[2];

static void start(void)
{
	channels_start();
	link_up(1);
	link_confirm_all(1);
	link_sent(1);
}

TestSuite(deliver, .init = start, .fini = channels_end, .timeout = 30);

static void has_got(struct member *m, const char *want)
{
	turn();
	cr_assert(eq(str, (char *)got(m), (char *)want));
}

static void all_live(const char *epoch, uint64_t offset)
{
	make_live(a, subscription_of("x"), epoch, offset);
	make_live(b, subscription_of("x"), epoch, offset);
	make_live(c, subscription_of("x"), epoch, offset);
}

Test(deliver, gives_each_subscriber_a_publication_once)
{
	all_live("e", 4);
	make_live(a, subscription_of("y"), "e", 0);
	deliver("x", "e", 5, "m5");
	deliver("x", "e", 5, "m5");
	deliver("x", "e", 4, "m4");
	has_got(a, "m5");
	has_got(b, "m5");
	has_got(c, "m5");
	cr_assert(eq(i64, counted("gatepost_edge_channel_publications_total", NULL), 3));
	cr_assert(eq(i64, counted("gatepost_edge_channel_deliveries_total", NULL), 3));
	cr_assert(eq(i64, counted("gatepost_edge_channel_bytes_total", NULL), 3 * 4));
}

Test(deliver, without_history_passes_on_what_comes)
{
	all_live(NULL, 0);
	deliver("x", NULL, 0, "m");
	deliver("x", NULL, 0, "m");
	has_got(b, "m m");
}

Test(deliver, for_a_channel_without_subscriptions_reaches_nobody)
{
	deliver_asked(1, 7, "x", NULL, 0, "m");
	cr_assert(eq(str, (char *)link_sent(1), "O7=OK"));
}

Test(deliver, with_a_ticket_counts_those_that_it_has_reached)
{
	all_live("e", 4);
	c->is_full = true;
	link_up(2);
	link_sent(2);
	deliver_asked(2, 7, "x", "e", 5, "m5");
	cr_assert(eq(str, (char *)link_sent(2), "O7=OK:2"));
	deliver_asked(2, 8, "x", "e", 5, "m5");
	cr_assert(eq(str, (char *)link_sent(2), "O8=OK:2"), "they have it");
}

/* Of two brokers that publish at a time, one may fill the hole before the other's own message comes. */
Test(deliver, with_a_ticket_counts_those_that_had_it_from_a_fill)
{
	all_live("e", 4);
	link_up(2);
	link_sent(2);
	deliver("x", "e", 6, "m6");
	fill("x", "e", 4, 6, 5, "m5 m6", false);
	has_got(a, "m5 m6");
	deliver_asked(2, 7, "x", "e", 5, "m5");
	cr_assert(eq(str, (char *)link_sent(2), "O7=OK:3"));
}

Test(deliver, with_a_ticket_behind_a_hole_answers_when_it_is_filled)
{
	all_live("e", 4);
	link_up(2);
	link_sent(2);
	deliver_asked(2, 7, "x", "e", 6, "m6");
	cr_assert(eq(str, (char *)link_sent(2), ""));
	deliver("x", "e", 5, "m5");
	cr_assert(eq(str, (char *)link_sent(2), "O7=OK:3"));
	has_got(a, "m5 m6");
}

Test(deliver, holds_what_is_behind_a_hole_in_the_order_of_offsets)
{
	all_live("e", 4);
	deliver("x", "e", 8, "m8");
	deliver("x", "e", 6, "m6");
	deliver("x", "e", 7, "m7");
	deliver("x", "e", 7, "m7");
	has_got(a, "");
	deliver("x", "e", 5, "m5");
	has_got(a, "m5 m6 m7 m8");
}

Test(deliver, holds_no_more_than_1000_behind_a_hole)
{
	const struct channel *x;

	all_live("e", 4);
	x = a->subscriber.first->channel;
	for (uint64_t i = 6; i < 6 + 1100; i++)
		deliver("x", "e", i, "m");
	cr_assert(eq(u32, x->held.n, 1000));
	cr_assert(eq(u64, x->top, 1105), "what was dropped is asked for");
	link_sent(1);
	fill("x", "e", 4, 1105, 5, "m5", false);
	cr_assert(eq(sz, a->n, 1001));
	cr_assert(eq(str, (char *)link_sent(1), "G(x@e/1005)"));
}

Test(deliver, holds_no_more_than_1_MiB_behind_a_hole)
{
	static char large[100 * 1024];
	const struct channel *x;

	all_live("e", 4);
	x = a->subscriber.first->channel;
	memset(large, 'm', sizeof large - 1);
	for (uint64_t i = 6; i < 26; i++)
		deliver("x", "e", i, large);
	cr_assert(le(sz, x->held.bytes, 1024 * 1024));
	cr_assert(eq(u32, x->held.n, 10));
}

Test(deliver, of_an_older_epoch_is_dropped)
{
	all_live("e2", 4);
	deliver_asked(1, 7, "x", "e1", 5, "old");
	has_got(a, "");
	cr_assert(eq(str, (char *)link_sent(1), "O7=OK"));
	deliver("x", "e2", 5, "m5");
	has_got(a, "m5");
}

Test(deliver, of_a_newer_epoch_resets_its_subscribers_first)
{
	all_live("e1", 4);
	deliver("x", "e1", 6, "held");
	deliver("x", "e2", 1, "m1");
	has_got(a, "{\"type\":\"reset\",\"channel\":\"x\",\"epoch\":\"e2\",\"offset\":0,"
		   "\"recovered\":false,\"reason\":\"epoch\"} m1");
	cr_assert(eq(i64,
		     counted("gatepost_edge_channel_resets_total", "reason=\"epoch\""),
		     3));
	deliver("x", "e1", 5, "old");
	deliver("x", "e2", 2, "m2");
	has_got(a, "m2");
}

Test(deliver, of_a_newer_epoch_gives_a_raw_subscription_no_reset)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->raw = true;
	make_live(a, s, "e1", 4);
	deliver("x", "e2", 1, "m1");
	has_got(a, "m1");
}

Test(deliver, goes_on_when_a_connection_ends_in_the_middle_of_it)
{
	all_live("e", 4);
	make_live(b, subscription_of("y"), "e", 4);
	b->dies = true;
	deliver_asked(1, 7, "x", "e", 5, "m5");
	cr_assert(eq(str, (char *)link_sent(1), "O7=OK:2"));
	has_got(a, "m5");
	has_got(c, "m5");
	deliver("x", "e", 6, "m6");
	has_got(a, "m6");
	cr_assert(eq(i64, counted("gatepost_edge_subscriptions", NULL), 2));
}

Test(deliver, to_live_subscriptions_whose_channel_has_history_since_then_begins_there)
{
	all_live(NULL, 0);
	deliver("x", NULL, 0, "m");
	deliver("x", "e", 7, "m7");
	deliver("x", "e", 8, "m8");
	has_got(a, "m m7 m8");
}
