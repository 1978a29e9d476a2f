#include "edge/channels/interest.h"

#include "edge/channels/subscription.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(interest, .init = channels_start, .fini = channels_end, .timeout = 30);

static const struct {
	struct member *a, *b, *c;
} of = {&edge.members[0], &edge.members[1], &edge.members[2]};

static void sent(uint64_t link, const char *want)
{
	turn();
	cr_assert(eq(str, (char *)link_sent(link), (char *)want));
}

Test(interest, of_a_new_link_is_the_whole_list_also_when_it_is_empty)
{
	link_up(1);
	sent(1, "I1*()");
	make_live(of.a, subscription_of("x"), "e", 5);
	link_up(2);
	sent(2, "I1*(x@e/5)");
	sent(1, "");
}

Test(interest, of_many_channels_is_several_items_the_last_of_them_whole)
{
	char name[16];

	link_up(1);
	link_sent(1);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "c%d", i);
		subscription_begin(edge.channels, &of.a->subscriber, 1, 1,
				   subscription_of(name));
	}
	turn();
	cr_assert(strstr(link_sent(1), "I3(") != NULL);
	link_up(2);
	cr_assert(strstr(link_sent(2), "I2*(") != NULL);
	subscription_leave(edge.channels, &of.a->subscriber);
}

Test(interest, begins_with_the_first_subscription_and_ends_with_the_last)
{
	link_up(1);
	sent(1, "I1*()");
	subscribe(of.a, 1, 1, subscription_of("x"));
	sent(1, "I2(x)");
	subscribe(of.b, 1, 2, subscription_of("x"));
	sent(1, "");
	subscription_leave(edge.channels, &of.a->subscriber);
	sent(1, "");
	subscription_leave(edge.channels, &of.b->subscriber);
	sent(1, "I3(x-)");
}

Test(interest, that_begins_and_ends_within_a_turn_is_told_to_nobody)
{
	link_up(1);
	sent(1, "I1*()");
	subscription_begin(edge.channels, &of.a->subscriber, 1, 1, subscription_of("x"));
	subscription_drop(edge.channels, &of.a->subscriber, span_str("x"));
	sent(1, "");
	make_live(of.a, subscription_of("x"), "e", 5);
	subscription_drop(edge.channels, &of.a->subscriber, span_str("x"));
	subscription_begin(edge.channels, &of.a->subscriber, 1, 2, subscription_of("x"));
	sent(1, "O2=OK");
}

Test(interest, is_confirmed_by_all_brokers_before_the_outcome)
{
	link_up(1);
	link_up(2);
	link_confirm_all(1);
	link_confirm_all(2);
	link_sent(1);
	link_sent(2);
	subscribe(of.a, 2, 7, subscription_of("x"));
	sent(2, "I2(x)");
	link_confirm(2, 2);
	sent(2, "");
	link_confirm(1, 1);
	sent(2, "");
	link_confirm(1, 2);
	sent(2, "O7=OK");
	subscribe(of.b, 1, 8, subscription_of("x"));
	cr_assert(eq(str, (char *)link_sent(1), "I2(x) O8=OK"), "at once: they know");
}

Test(interest, of_a_serial_that_was_never_sent_is_not_confirmed)
{
	link_up(1);
	link_sent(1);
	link_confirm(1, 9);
	subscribe(of.a, 1, 7, subscription_of("x"));
	sent(1, "I2(x)");
	link_confirm(1, 3);
	sent(1, "");
	link_confirm(1, 2);
	sent(1, "O7=OK");
}

Test(interest, of_a_broker_that_has_left_is_not_waited_for)
{
	link_up(1);
	link_up(2);
	link_confirm_all(1);
	subscribe(of.a, 1, 7, subscription_of("x"));
	link_confirm_all(1);
	link_sent(1);
	sent(1, "");
	link_down(2);
	sent(1, "O7=OK");
}

Test(interest, is_waited_for_from_a_broker_that_joins_meanwhile)
{
	link_up(1);
	link_confirm_all(1);
	subscribe(of.a, 1, 7, subscription_of("x"));
	link_up(2);
	cr_assert(eq(str, (char *)link_sent(2), "I1*(x)"));
	link_sent(1);
	link_confirm_all(1);
	sent(1, "");
	link_confirm_all(2);
	sent(1, "O7=OK");
}

Test(interest, in_the_whole_list_is_confirmed_with_its_last_item)
{
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "c%d", i);
		subscription_begin(edge.channels, &of.a->subscriber, 1, 1,
				   subscription_of(name));
	}
	turn();
	link_up(1);
	link_sent(1);
	subscribe(of.b, 1, 7, subscription_of("c0"));
	link_confirm(1, 1);
	sent(1, "");
	link_confirm(1, 2);
	sent(1, "O7=OK");
}

Test(interest, while_a_broker_is_not_linked_waits_until_it_knows_of_the_links)
{
	edge.is_incomplete = true;
	link_up_young(1, 2000);
	subscribe(of.a, 1, 7, subscription_of("x"));
	link_confirm_all(1);
	link_sent(1);
	pass(1900);
	sent(1, "");
	pass(200);
	sent(1, "O7=OK");
	subscribe(of.b, 1, 8, subscription_of("x"));
	sent(1, "O8=OK");
}

Test(interest, on_a_young_link_does_not_wait_when_all_brokers_are_linked)
{
	link_up_young(1, 60000);
	link_sent(1);
	subscribe(of.a, 1, 7, subscription_of("x"));
	link_confirm_all(1);
	cr_assert(eq(str, (char *)link_sent(1), "I2(x) O7=OK"));
}

Test(interest, is_confirmed_by_the_broker_that_was_not_linked_when_it_comes)
{
	edge.is_incomplete = true;
	link_up_young(1, 60000);
	subscribe(of.a, 1, 7, subscription_of("x"));
	link_confirm_all(1);
	link_sent(1);
	link_up_young(2, 60000);
	edge.is_incomplete = false;
	pass(200);
	sent(1, "");
	link_confirm_all(2);
	sent(1, "O7=OK");
}

Test(interest, outcomes_of_a_link_that_has_ended_are_dropped)
{
	link_up(1);
	link_up(2);
	subscribe(of.a, 2, 7, subscription_of("x"));
	link_sent(1);
	link_down(2);
	link_sent(2);
	link_confirm_all(1);
	sent(1, "");
	sent(2, "");
	subscribe(of.a, 1, 8, subscription_of("x"));
	cr_assert(eq(str, (char *)link_sent(1), "O8=OK"), "another broker handles it");
}

Test(interest, of_a_channel_that_has_moved_is_told_to_all_with_its_position_once_a_second)
{
	link_up(1);
	link_up(2);
	make_live(of.a, subscription_of("x"), "e", 4);
	make_live(of.b, subscription_of("y"), "e", 1);
	subscribe(of.c, 1, 9, subscription_of("plain"));
	activate(of.c, "plain", NULL, 0, NULL);
	pass(2000); /* those that went live */
	link_sent(1);
	link_sent(2);
	deliver("x", "e", 5, "m5");
	deliver("plain", NULL, 0, "m");
	pass(CHANNELS_TICK_MS);
	sent(1, "I6(x@e/5)");
	sent(2, "I6(x@e/5)");
	deliver("x", "e", 6, "m6");
	pass(900);
	deliver("x", "e", 7, "m7");
	sent(1, "");
	pass(CHANNELS_TICK_MS);
	sent(1, "I7(x@e/7)");
	sent(2, "I7(x@e/7)");
	pass(2000);
	sent(1, "");
}

Test(interest, of_a_channel_that_has_moved_and_ends_is_its_end_alone)
{
	link_up(1);
	make_live(of.a, subscription_of("x"), "e", 4);
	pass(1000);
	link_sent(1);
	deliver("x", "e", 5, "m5");
	subscription_leave(edge.channels, &of.a->subscriber);
	pass(2000);
	sent(1, "I4(x-)");
}

Test(interest, of_positions_holds_up_no_outcome_and_counts_for_the_confirmations)
{
	link_up(1);
	link_up(2);
	make_live(of.a, subscription_of("x"), "e", 4);
	link_confirm_all(1);
	link_confirm_all(2);
	deliver("x", "e", 5, "m5");
	pass(1000);
	link_sent(1);
	link_sent(2);
	subscribe(of.b, 1, 7,
		  subscription_of("x")); /* carried already: nothing to confirm */
	sent(1, "O7=OK");
	subscribe(of.b, 1, 8, subscription_of("y"));
	sent(1, "I4(y)");
	link_confirm_all(1);
	sent(1, "");
	link_confirm_all(2);
	sent(1, "O8=OK");
}
