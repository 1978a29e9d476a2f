#include "broker/channels/delivery/interest_list.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(interest, .init = channels_start, .fini = channels_stop);

static struct outcome out;

/* What the next append says is known of the channel: "epoch offset". */
static const char *known_of(const char *channel)
{
	static char text[64];
	struct outcome o = {0};
	struct position p;

	publish_to(&room, channel, &o);
	p = fake_channels_append()->append.look.known;
	snprintf(text, sizeof text, "%.*s %lld", SPAN_ARG(p.epoch), (long long)p.offset);
	fake_channels_fail(ERR_DOWN);
	return text;
}

static void assert_refused(void)
{
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(out.is_failed);
	cr_assert(eq(str, out.code, "unavailable"));
}

static void assert_published(void)
{
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(not(out.is_failed), "%s", out.code);
}

/* ---- confirmations ---- */

Test(interest, of_an_edge_is_confirmed_in_the_same_turn)
{
	const Gatepost__Item *i;

	cluster_link("e1", 0xe1, 7);
	channels_carry("e1", "chat", NULL, 0, false);
	i = channels_read("e1", GATEPOST__ITEM__BODY_CONFIRMATION);
	cr_assert(i != NULL);
	cr_assert(eq(u64, i->confirmation->serial, 1));
	channels_all("e1");
	i = channels_read("e1", GATEPOST__ITEM__BODY_CONFIRMATION);
	cr_assert(i != NULL);
	cr_assert(eq(u64, i->confirmation->serial, 2));
}

/* ---- completeness ---- */

Test(interest, is_unknown_to_a_broker_that_is_younger_than_two_beats)
{
	channels_run(0, "", false);
	channels_link("e1", 0xe1, 7, "chat");
	publish_to(&chat, "chat", &out);
	channels_run(2 * BEAT_MS - 100, "e1", false);
	cr_assert(eq(sz, out.calls, 0));
	channels_run(100, "e1", false);
	assert_published();
	cr_assert(channels_deliver("e1") != NULL);
}

Test(interest, is_awaited_of_an_edge_that_has_just_linked)
{
	channels_join();
	cluster_link("e1", 0xe1, 7);
	publish_to(&chat, "chat", &out);
	cr_assert(eq(sz, out.calls, 0));
	channels_carry("e1", "chat", NULL, 0, false);
	cr_assert(eq(sz, out.calls, 0));
	channels_all("e1");
	assert_published();
	cr_assert(channels_deliver("e1") != NULL);
}

Test(interest, is_awaited_for_two_seconds_and_then_the_publish_is_refused)
{
	channels_join();
	cluster_link("e1", 0xe1, 7);
	publish_to(&chat, "chat", &out);
	channels_run(1950, "e1", false);
	cr_assert(eq(sz, out.calls, 0));
	channels_run(50, "e1", false);
	assert_refused();
	channels_all("e1");
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(
		eq(i64, cluster_metric("gatepost_broker_interest_waits_total", NULL), 1));
}

Test(interest, is_awaited_of_an_edge_that_only_another_broker_is_linked_to)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	cluster_set_linked("7-8");
	channels_run(BEAT_MS, "e1", true);
	publish_to(&chat, "chat", &out);
	channels_run(500, "e1", true);
	cr_assert(eq(sz, out.calls, 0));
	channels_link("e2", 0xe2, 8, "chat");
	assert_published();
	cr_assert(channels_deliver("e1") != NULL);
	cr_assert(channels_deliver("e2") != NULL);
}

Test(interest, of_a_killed_edge_delays_until_the_other_broker_has_dropped_it_too)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	channels_link("e2", 0xe2, 8, "chat");
	cluster_set_linked("7,8");
	channels_run(BEAT_MS, "e1 e2", true);
	cluster_hello("e1b", 0xe1, 7); /* the link has ended; it is not up again */
	publish_to(&chat, "chat", &out);
	channels_run(300, "e2", true);
	cr_assert(eq(sz, out.calls, 0));
	cluster_set_linked("8"); /* its beat says so now; ours looks every 100 ms */
	channels_run(150, "e2", true);
	assert_published();
	cr_assert(channels_deliver("e2") != NULL);
}

Test(interest, leaves_out_an_edge_that_nobody_is_linked_to)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	cluster_hello("e1b", 0xe1, 7);
	publish_to(&chat, "chat", &out);
	assert_published();
}

Test(interest,
     is_unknown_while_a_store_that_is_up_has_not_answered_for_one_and_a_half_beats)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	channels_run(200, "e1", false);
	cluster_run(3 * BEAT_MS, "e1");
	publish_to(&chat, "chat", &out);
	cr_assert(eq(sz, out.calls, 0));
	cluster_beat("c1", false); /* the answer to one of long ago */
	cr_assert(eq(sz, out.calls, 0));
	channels_run(200, "e1", false);
	assert_published();
}

Test(interest, stays_as_it_was_while_the_store_is_down)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	channels_run(200, "e1", false);
	fake_store_set_up(false);
	cluster_run(5 * BEAT_MS, "e1");
	publish_to(&chat, "chat", &out);
	assert_published();
}

static void count(void *arg, const struct published *p)
{
	char *order = arg;

	cr_assert(p->failure == NULL);
	order[strlen(order)] = 'x';
}

Test(interest, that_is_awaited_releases_publications_in_the_order_in_which_they_came)
{
	static const char *const data[] = {"1", "2", "3"};
	char order[8] = "";

	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	cluster_link("e2", 0xe2, 8);
	for (size_t i = 0; i < 3; i++) {
		struct publication q = publication_to(&chat, "chat");

		q.data = span_str(data[i]);
		publish(channels_publishers(channels), &q, count, order);
	}
	channels_all("e2");
	cr_assert(eq(str, order, "xxx"));
	for (size_t i = 0; i < 3; i++) {
		struct span body = span_from(channels_deliver("e1")->publication->body);
		char end[16];

		snprintf(end, sizeof end, "\"data\":%s}", data[i]);
		cr_assert(memmem(body.p, body.n, end, strlen(end)) != NULL);
	}
}

Test(interest, does_not_delay_a_channel_with_history)
{
	cluster_beat("c1", false);
	cluster_link("e1", 0xe1, 7);
	publish_to(&room, "room:1", &out);
	fake_channels_appended(CHANNEL_APPENDED, "a", 1, 1);
	assert_published();
}

Test(interest, of_an_edge_that_has_not_sent_all_does_not_matter_once_its_link_has_ended)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	cluster_link("e2", 0xe2, 8);
	publish_to(&chat, "chat", &out);
	cluster_hello("e2b", 0xe2, 8);
	cr_assert(eq(sz, out.calls, 0), "from inside the end of the link");
	fake_loop_run(cluster.loop, 0);
	assert_published();
}

/* ---- who carries what ---- */

Test(interest, ends_with_the_last_subscription_or_the_link_of_an_edge)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat chat:b");
	channels_link("e2", 0xe2, 8, "chat");
	channels_link("e3", 0xe3, 9, "chat");
	channels_uncarry("e1", "chat");
	channels_uncarry("e1", "chat:never");
	publish_to(&chat, "chat", &out);
	cr_assert(channels_deliver("e1") == NULL);
	cr_assert(channels_deliver("e2") != NULL);
	cr_assert(channels_deliver("e3") != NULL);
	cluster_hello("e2b", 0xe2, 8);
	publish_to(&chat, "chat", &out);
	publish_to(&chat, "chat:b", &out);
	cr_assert(eq(sz, out.calls, 3));
	cr_assert(channels_deliver("e1") != NULL);
	cr_assert(channels_deliver("e2") == NULL);
	cr_assert(channels_deliver("e3") != NULL);
}

Test(interest, that_is_sent_again_gives_no_second_copy)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "chat");
	channels_link("e2", 0xe2, 8, "chat");
	channels_carry("e1", "chat", NULL, 0, true);
	channels_carry("e2", "chat", NULL, 0, true);
	publish_to(&chat, "chat", &out);
	cr_assert(channels_deliver("e1") != NULL && channels_deliver("e1") == NULL);
	cr_assert(channels_deliver("e2") != NULL && channels_deliver("e2") == NULL);
}

/* ---- known positions ---- */

Test(interest, keeps_the_highest_position_of_the_newest_epoch)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "");
	channels_link("e2", 0xe2, 8, "room:1");
	cr_assert(eq(str, (char *)known_of("room:1"), " 0"));
	channels_carry("e1", "room:1", "0001a", 7, true);
	cr_assert(eq(str, (char *)known_of("room:1"), "0001a 7"));
	channels_carry("e2", "room:1", "0001a", 5, true);
	cr_assert(eq(str, (char *)known_of("room:1"), "0001a 7"));
	channels_carry("e2", "room:1", "0002a", 1, true);
	cr_assert(eq(str, (char *)known_of("room:1"), "0002a 1"));
	channels_carry("e1", "room:1", "0001a", 9, true);
	cr_assert(eq(str, (char *)known_of("room:1"), "0002a 1"));
	channels_carry("e1", "room:1", "0002a1", 0, true);
	cr_assert(eq(str, (char *)known_of("room:1"), "0002a1 0"));
}

Test(interest, counts_what_was_published_as_known)
{
	channels_join();
	channels_link("e1", 0xe1, 7, "room:1");
	publish_to(&room, "room:1", &out);
	fake_channels_appended(CHANNEL_APPENDED, "0001", 42, 1);
	cr_assert(eq(str, (char *)known_of("room:1"), "0001 42"));
	cr_assert(eq(str, (char *)known_of("room:2"), " 0"));
	channels_uncarry("e1", "room:1");
	cr_assert(eq(str, (char *)known_of("room:1"), " 0"));
}

/* ---- the list ---- */

static const char *list(const char *prefix, const char *after, size_t n)
{
	static char text[256];
	struct span names[8];
	size_t found = interest_list(channels_carried(channels), span_str(prefix),
				     span_str(after), names, n);

	text[0] = '\0';
	for (size_t i = 0; i < found; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s",
			 i > 0 ? " " : "", SPAN_ARG(names[i]));
	return text;
}

Test(interest, is_listed_by_name_page_after_page)
{
	channels_link("e1", 0xe1, 7, "room:2 chat room:10 room:1 room:3 tick room:12");
	cr_expect(eq(str, (char *)list("", "", 8),
		     "chat room:1 room:10 room:12 room:2 room:3 tick"));
	cr_expect(eq(str, (char *)list("", "", 3), "chat room:1 room:10"));
	cr_expect(eq(str, (char *)list("", "room:10", 3), "room:12 room:2 room:3"));
	cr_expect(eq(str, (char *)list("room:", "", 2), "room:1 room:10"));
	cr_expect(eq(str, (char *)list("room:1", "room:1", 8), "room:10 room:12"));
	cr_expect(eq(str, (char *)list("hall", "", 8), ""));
	cr_expect(eq(str, (char *)list("", "", 0), ""));
	cr_expect(eq(str, (char *)list("", "tick", 8), ""));
}
