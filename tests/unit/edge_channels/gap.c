#include "edge/channels/gap.h"

#include "edge/channels/subscription.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct member *const a = &edge.members[0], *const b = &edge.members[1],
			    *const c = &edge.members[2];

static void start(void)
{
	channels_start();
	link_up(1);
	link_confirm_all(1);
	link_sent(1);
}

TestSuite(gap, .init = start, .fini = channels_end, .timeout = 30);

static void has_got(struct member *m, const char *want)
{
	turn();
	cr_assert(eq(str, (char *)got(m), (char *)want));
}

/* But for the positions that brokers are told each second: interest.c has them. */
static void sent(uint64_t link, const char *want)
{
	static char kept[TEXT_MOST];
	char *word = strtok((char *)(uintptr_t)link_sent(link), " ");
	size_t n = 0;

	kept[0] = '\0';
	for (; word != NULL; word = strtok(NULL, " "))
		if (word[0] != 'I' || strpbrk(word, "*-") != NULL)
			n += (size_t)snprintf(kept + n, sizeof kept - n, "%s%s",
					      n > 0 ? " " : "", word);
	cr_assert(eq(str, kept, (char *)(uintptr_t)want));
}

Test(gap, is_asked_for_at_once_and_filled)
{
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 7, "m7");
	sent(1, "G(x@e/4)");
	deliver("x", "e", 8, "m8");
	sent(1, ""); /* once is enough */
	fill("x", "e", 4, 8, 5, "m5 m6 m7 m8", false);
	has_got(a, "m5 m6 m7 m8");
	sent(1, "");
	cr_assert(eq(i64, counted("gatepost_edge_channel_gaps_total", "what=\"asked\""),
		     1));
	cr_assert(eq(i64, counted("gatepost_edge_channel_gaps_total", "what=\"filled\""),
		     1));
}

Test(gap, that_is_filled_in_part_is_asked_for_again)
{
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 9, "m9");
	sent(1, "G(x@e/4)");
	fill("x", "e", 4, 9, 5, "m5 m6", false);
	has_got(a, "m5 m6");
	sent(1, "G(x@e/6)");
	fill("x", "e", 6, 9, 7, "m7 m8", false);
	has_got(a, "m7 m8 m9");
	sent(1, "");
}

Test(gap, that_nobody_fills_is_asked_for_again_after_a_second_of_another_broker)
{
	link_up(2);
	link_sent(2);
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 6, "m6");
	sent(1, "G(x@e/4)");
	pass(900);
	sent(2, "");
	pass(200);
	sent(2, "G(x@e/4)");
	pass(1000);
	sent(1, "G(x@e/4)");
}

Test(gap, that_has_closed_by_itself_is_not_asked_for_again)
{
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 6, "m6");
	sent(1, "G(x@e/4)");
	deliver("x", "e", 5, "m5");
	pass(5000);
	sent(1, "");
	has_got(a, "m5 m6");
}

Test(gap, without_a_broker_is_asked_for_when_there_is_one)
{
	make_live(a, subscription_of("x"), "e", 4);
	link_down(1);
	deliver("x", "e", 6, "m6");
	sent(1, "");
	link_up(2);
	pass(1100);
	sent(2, "I1*(x@e/4) G(x@e/4)");
}

Test(gap, that_is_lost_is_a_reset_to_the_top)
{
	Gatepost__Subscription *s = subscription_of("x");

	make_live(a, s, "e", 4);
	s->raw = true;
	make_live(b, s, "e", 4);
	deliver("x", "e", 7, "m7");
	fill("x", "e", 4, 8, 8, "m8", true);
	deliver("x", "e", 9, "m9");
	has_got(a, "{\"type\":\"reset\",\"channel\":\"x\",\"epoch\":\"e\",\"offset\":8,"
		   "\"recovered\":false,\"reason\":\"trimmed\"} m9");
	has_got(b, "m9");
	cr_assert(
		eq(i64, counted("gatepost_edge_channel_gaps_total", "what=\"lost\""), 1));
}

Test(gap, that_is_lost_gives_a_cache_subscription_the_newest_one)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->cache = true;
	make_live(a, s, "e", 4);
	deliver("x", "e", 7, "m7");
	fill("x", "e", 4, 8, 8, "m8", true);
	deliver("x", "e", 9, "m9");
	has_got(a, "m8 m9");
}

/* Their positions came from the store, above the hole. */
Test(gap, that_is_lost_is_nothing_to_those_that_went_live_behind_it)
{
	Gatepost__Subscription *s = subscription_of("x");

	make_live(a, s, "e", 4);
	s->cache = true;
	subscribe(b, 1, 2, s);
	activate(b, "x", "e", 8, "m8");
	pass(1000);
	sent(1, "O2=OK G(x@e/4)");
	s->cache = false;
	subscribe(c, 1, 3, s);
	activate(c, "x", "e", 9, "m9");
	has_got(b, "m8");
	has_got(c, "m9");
	fill("x", "e", 4, 8, 8, "m8", true);
	cr_assert(strstr(got(a), "\"offset\":8") != NULL);
	has_got(b, "");
	has_got(c, "");
	deliver("x", "e", 9, "m9");
	deliver("x", "e", 10, "m10");
	has_got(a, "m9 m10");
	has_got(b, "m9 m10");
	has_got(c, "m10");
}

Test(gap, that_has_become_smaller_before_its_answer_is_not_lost)
{
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 7, "m7");
	sent(1, "G(x@e/4)");
	deliver("x", "e", 5, "m5");
	fill("x", "e", 4, 7, 7, "m7", true);
	has_got(a, "m5");
	sent(1, "G(x@e/5)");
	fill("x", "e", 5, 7, 6, "m6 m7", false);
	has_got(a, "m6 m7");
}

Test(gap, whose_answer_has_a_newer_epoch_goes_on_there)
{
	Gatepost__Fill m = GATEPOST__FILL__INIT;
	Gatepost__Position from = GATEPOST__POSITION__INIT,
			   top = GATEPOST__POSITION__INIT;

	make_live(a, subscription_of("x"), "e1", 4);
	deliver("x", "e1", 6, "m6");
	sent(1, "G(x@e1/4)");
	m.channel = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "x"};
	from.epoch = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "e1"};
	from.offset = 4;
	top.epoch = (ProtobufCBinaryData){2, (uint8_t *)(uintptr_t) "e2"};
	top.offset = 2;
	m.from = &from;
	m.top = &top;
	m.lost = true;
	link_receive(1, GATEPOST__ITEM__BODY_FILL, &m);
	cr_assert(strstr(got(a), "\"epoch\":\"e2\",\"offset\":0") != NULL);
	sent(1, "G(x@e2/0)");
	fill("x", "e2", 0, 2, 1, "m1 m2", false);
	has_got(a, "m1 m2");
}

Test(gap, whose_answer_has_an_older_epoch_is_asked_for_again)
{
	make_live(a, subscription_of("x"), "e2", 4);
	deliver("x", "e2", 6, "m6");
	sent(1, "G(x@e2/4)");
	fill("x", "e1", 4, 9, 5, "old", false);
	has_got(a, "");
	pass(1100);
	sent(1, "G(x@e2/4)");
}

Test(gap, in_a_store_that_has_gone_back_is_given_up)
{
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 6, "m6");
	sent(1, "G(x@e/4)");
	fill("x", "e", 4, 4, 5, "", false);
	pass(1100);
	sent(1, "");
	deliver("x", "e", 5, "other5");
	deliver("x", "e", 6, "other6");
	has_got(a, "other5 other6");
}

Test(gap, is_looked_for_10_s_after_a_channel_carried_something)
{
	make_live(a, subscription_of("x"), "e", 4);
	pass(10100);
	sent(1, "G(x@e/4)"); /* it has just been placed */
	fill("x", "e", 4, 4, 5, "", false);
	pass(60000);
	sent(1, "");
	deliver("x", "e", 5, "m5");
	pass(9900);
	sent(1, "");
	pass(200);
	sent(1, "G(x@e/5)");
	fill("x", "e", 5, 6, 6, "m6", false);
	has_got(a, "m5 m6");
}

Test(gap, is_looked_for_again_when_nobody_has_answered)
{
	make_live(a, subscription_of("x"), "e", 4);
	pass(10100);
	sent(1, "G(x@e/4)");
	pass(9000);
	sent(1, "");
	pass(1100);
	sent(1, "G(x@e/4)");
}

Test(gap, is_looked_for_after_30_min_in_a_channel_that_carries_nothing)
{
	make_live(a, subscription_of("x"), "e", 4);
	pass(10100);
	link_sent(1);
	fill("x", "e", 4, 4, 5, "", false);
	pass(30 * 60 * 1000 - 200);
	sent(1, "");
	pass(400);
	sent(1, "G(x@e/4)");
}

Test(gap, is_looked_for_in_all_channels_after_a_link_came_up)
{
	char name[16];

	for (int i = 0; i < 700; i++) {
		snprintf(name, sizeof name, "c%d", i);
		make_live(a, subscription_of(name), "e", 1);
	}
	make_live(b, subscription_of("without"), NULL, 0);
	link_down(1);
	link_up(1);
	link_sent(1);
	pass(100);
	cr_assert(eq(i64, counted("gatepost_edge_channel_gaps_total", "what=\"asked\""),
		     500),
		  "not all at once");
	pass(100);
	cr_assert(eq(i64, counted("gatepost_edge_channel_gaps_total", "what=\"asked\""),
		     700),
		  "and none for a channel without history");
	subscription_leave(edge.channels, &a->subscriber);
}

Test(gap, of_a_channel_that_has_gone_is_not_filled)
{
	make_live(a, subscription_of("x"), "e", 4);
	deliver("x", "e", 6, "m6");
	subscription_leave(edge.channels, &a->subscriber);
	turn();
	fill("x", "e", 4, 6, 5, "m5", false);
	pass(2000);
	sent(1, "G(x@e/4) I3(x-)");
}
