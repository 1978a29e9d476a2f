#include "edge/channels/emit.h"

#include "edge/channels/subscription.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct member *const a = &edge.members[0], *const b = &edge.members[1];

static void start(void)
{
	channels_start();
	link_up(1);
	link_confirm_all(1);
	link_sent(1);
}

TestSuite(emit, .init = start, .fini = channels_end, .timeout = 30);

static void has_got(struct member *m, const char *want)
{
	turn();
	cr_assert(eq(str, (char *)got(m), (char *)want));
}

static Gatepost__Subscription *with_policy(Gatepost__Subscription__Slow policy)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->slow = policy;
	return s;
}

static void drained(struct member *m)
{
	m->is_full = false;
	subscription_drained(edge.channels, &m->subscriber);
}

static void deliver_some(uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++) {
		char body[16];

		snprintf(body, sizeof body, "m%llu", (unsigned long long)i);
		deliver("x", "e", i, body);
	}
}

#define DROPPED(policy)                                                                  \
	counted("gatepost_edge_channel_slow_total", "policy=\"" policy "\"")

/* ---- slow ---- */

Test(emit, to_a_healthy_client_loses_nothing_in_a_burst)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT), "e", 0);
	a->is_full = true;
	deliver_some(1, 3);
	has_got(a, "");
	drained(a);
	deliver_some(4, 4);
	has_got(a, "m1 m2 m3 m4");
	cr_assert(eq(i64, DROPPED("disconnect"), 0));
}

Test(emit, disconnects_a_client_that_does_not_read)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT), "e", 0);
	make_live(b, with_policy(GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT), "e", 0);
	a->is_full = true;
	deliver_some(1, 1000);
	cr_assert(not(a->is_gone));
	deliver_some(1001, 1001);
	cr_assert(a->is_gone);
	cr_assert(not(b->is_gone));
	cr_assert(eq(sz, b->n, 1001), "nobody else waits");
	cr_assert(eq(i64, DROPPED("disconnect"), 1));
}

Test(emit, drops_the_oldest_and_tells_the_position_before_those_that_are_left)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST), "e", 0);
	a->is_full = true;
	deliver_some(1, 66);
	drained(a);
	cr_assert(strstr(a->got,
			 "{\"type\":\"reset\",\"channel\":\"x\",\"epoch\":\"e\","
			 "\"offset\":2,\"recovered\":false,\"reason\":\"slow\"} m3 m4") ==
		  a->got);
	cr_assert(eq(sz, a->n, 65));
	cr_assert(eq(i64, DROPPED("drop-oldest"), 2));
	cr_assert(eq(i64,
		     counted("gatepost_edge_channel_resets_total", "reason=\"slow\""),
		     1));
	got(a);
	deliver_some(67, 67);
	has_got(a, "m67");
}

Test(emit, keeps_the_newest_alone_when_the_policy_says_so)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__LATEST), "e", 0);
	a->is_full = true;
	deliver_some(1, 3);
	drained(a);
	has_got(a, "{\"type\":\"reset\",\"channel\":\"x\",\"epoch\":\"e\",\"offset\":2,"
		   "\"recovered\":false,\"reason\":\"slow\"} m3");
	cr_assert(eq(i64, DROPPED("latest"), 2));
}

Test(emit, sends_no_reset_to_a_slow_one_that_has_lost_nothing)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__LATEST), "e", 0);
	a->is_full = true;
	deliver_some(1, 1);
	drained(a);
	has_got(a, "m1");
}

Test(emit, tells_a_slow_one_without_history_that_something_was_dropped)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__LATEST), NULL, 0);
	a->is_full = true;
	deliver("x", NULL, 0, "m1");
	deliver("x", NULL, 0, "m2");
	drained(a);
	has_got(a, "{\"type\":\"reset\",\"channel\":\"x\",\"recovered\":false,"
		   "\"reason\":\"slow\"} m2");
}

Test(emit, goes_on_with_a_slow_one_whose_outbox_is_full_again)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST), "e", 0);
	a->is_full = true;
	deliver_some(1, 2);
	subscription_drained(edge.channels, &a->subscriber);
	has_got(a, "");
	drained(a);
	has_got(a, "m1 m2");
}

Test(emit, to_a_slow_one_of_a_new_epoch_is_the_reset_and_what_follows)
{
	make_live(a, with_policy(GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST), "e", 0);
	a->is_full = true;
	deliver_some(1, 70);
	deliver("x", "f", 1, "n1");
	drained(a);
	has_got(a, "{\"type\":\"reset\",\"channel\":\"x\",\"epoch\":\"f\",\"offset\":0,"
		   "\"recovered\":false,\"reason\":\"epoch\"} n1");
}

Test(emit, of_what_was_missed_is_queued_also_when_the_outbox_is_full)
{
	subscribe(a, 1, 1, subscription_of("x"));
	link_confirm_all(1);
	a->is_full = true;
	activate(a, "x", "e", 3, "m1 m2 m3");
	has_got(a, "m1 m2 m3");
	deliver_some(4, 4);
	drained(a);
	has_got(a, "m4");
}

Test(emit, sets_no_more_than_one_aside_when_all_slow_ones_together_have_too_much)
{
	static char large[4 * 1024 * 1024];

	memset(large, 'm', sizeof large - 1);
	for (int i = 0; i < 2; i++) {
		make_live(&edge.members[i],
			  with_policy(GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST), "e", 0);
		edge.members[i].is_full = true;
	}
	for (uint64_t i = 1; i <= 40; i++)
		deliver("x", "e", i, large);
	cr_assert(ge(i64, DROPPED("drop-oldest"), 15));
	cr_assert(le(i64, DROPPED("drop-oldest"), 17), "2 x 32 of 4 MiB are 256 MiB");
}

/* ---- batches ---- */

static Gatepost__Subscription *batched(void)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->batch = true;
	return s;
}

Test(emit, makes_several_messages_of_a_turn_one_array)
{
	make_live(a, batched(), "e", 0);
	make_live(b, subscription_of("x"), "e", 0);
	deliver_some(1, 3);
	cr_assert(eq(sz, a->n, 0), "not before the end of the turn");
	has_got(a, "[m1,m2,m3]");
	has_got(b, "m1 m2 m3");
	deliver_some(4, 4);
	has_got(a, "m4");
	cr_assert(eq(i64, counted("gatepost_edge_channel_deliveries_total", NULL), 8));
}

Test(emit, shares_the_array_of_several_subscribers)
{
	make_live(a, batched(), "e", 0);
	deliver_some(1, 1);
	make_live(b, batched(), "e", 1);
	got(a);
	deliver_some(2, 3);
	has_got(a, "[m2,m3]");
	has_got(b, "[m2,m3]");
}

Test(emit, bounds_the_messages_of_an_array)
{
	make_live(a, batched(), "e", 0);
	deliver_some(1, 257);
	cr_assert(eq(sz, a->n, 1));
	turn();
	cr_assert(eq(sz, a->n, 2));
}

Test(emit, sends_a_batch_before_a_reset)
{
	make_live(a, batched(), "e", 0);
	deliver_some(1, 2);
	deliver("x", "f", 1, "n1");
	turn();
	cr_assert(strstr(a->got, "[m1,m2] {\"type\":\"reset\"") == a->got);
	cr_assert(strstr(a->got, "} n1") != NULL);
}

Test(emit, sets_the_messages_of_a_batch_aside_one_by_one)
{
	Gatepost__Subscription *s = batched();

	s->slow = GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST;
	make_live(a, s, "e", 0);
	deliver_some(1, 2);
	a->is_full = true;
	turn();
	deliver_some(3, 3);
	turn();
	drained(a);
	has_got(a, "m1 m2 m3");
}

Test(emit, forgets_the_batch_of_a_subscription_that_its_client_ends)
{
	make_live(a, batched(), "e", 0);
	deliver_some(1, 2);
	subscription_drop(edge.channels, &a->subscriber, span_str("x"));
	has_got(a, "");
}

Test(emit, does_not_batch_raw_messages)
{
	Gatepost__Subscription *s = batched();

	s->raw = true;
	make_live(a, s, NULL, 0);
	deliver("x", NULL, 0, "m1");
	deliver("x", NULL, 0, "m2");
	has_got(a, "m1 m2");
}
