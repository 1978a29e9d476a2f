#include "edge/channels/presence.h"

#include "base/mem.h"
#include "edge/channels/subscription.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static struct member *const a = &edge.members[0], *const b = &edge.members[1],
			    *const c = &edge.members[2];

static void start(void)
{
	Gatepost__Subscription *s = subscription_of("x");

	channels_start();
	link_up(1);
	s->presence_events = true;
	make_live(a, s, NULL, 0);
	make_live(b, subscription_of("x"), NULL, 0);
}

TestSuite(presence, .init = start, .fini = channels_end, .timeout = 30);

static void has_got(struct member *m, const char *want)
{
	turn();
	cr_assert(eq(str, (char *)got(m), (char *)want));
}

/* joined and left: one JSON text, or NULL. */
static uint64_t at_us; /* of the next change */

static void change(const char *joined, const char *left, uint64_t connections,
		   bool counts)
{
	Gatepost__Presence m = GATEPOST__PRESENCE__INIT;
	ProtobufCBinaryData j, l;

	m.channel = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t) "x"};
	m.connections = connections;
	m.users = 1;
	m.interval_ms = 1000;
	m.at_us = at_us;
	m.counts_only = counts;
	if (joined != NULL) {
		j = (ProtobufCBinaryData){strlen(joined), (uint8_t *)(uintptr_t)joined};
		m.joined = &j;
		m.n_joined = 1;
	}
	if (left != NULL) {
		l = (ProtobufCBinaryData){strlen(left), (uint8_t *)(uintptr_t)left};
		m.left = &l;
		m.n_left = 1;
	}
	link_receive(1, GATEPOST__ITEM__BODY_PRESENCE, &m);
}

Test(presence, of_an_interval_is_one_frame_for_those_that_want_it)
{
	change("{\"connection\":\"1\"}", NULL, 1, false);
	pass(400);
	change("2", "3", 2, false);
	pass(400);
	has_got(a, "");
	pass(300);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[{\"connection\":"
		   "\"1\"},2],\"left\":[3],\"connections\":2,\"users\":1}");
	has_got(b, "");
	pass(5000);
	has_got(a, "");
	change("4", NULL, 3, false);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[4],\"left\":[],"
		   "\"connections\":3,\"users\":1}");
}

Test(presence, of_who_comes_and_goes_within_an_interval_is_not_told)
{
	change("1", NULL, 1, false);
	change(NULL, "1", 0, false);
	pass(1100);
	has_got(a, "");
	change(NULL, "1", 0, false);
	change("2", NULL, 1, false);
	change("1", NULL, 1, false);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[2],\"left\":[],"
		   "\"connections\":1,\"users\":1}");
}

Test(presence, of_too_many_has_only_counts)
{
	for (int i = 0; i < 1001; i++) {
		char name[16];

		snprintf(name, sizeof name, "%d", i);
		change(name, NULL, (uint64_t)i + 1, false);
	}
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"connections\":1001,"
		   "\"users\":1}");
	change("1", NULL, 1002, false);
	change(NULL, NULL, 1003, true);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"connections\":1003,"
		   "\"users\":1}");
}

Test(presence, is_dropped_for_a_client_that_does_not_read)
{
	a->is_full = true;
	change("1", NULL, 1, false);
	pass(1100);
	a->is_full = false;
	subscription_drained(edge.channels, &a->subscriber);
	has_got(a, "");
}

Test(presence, goes_on_when_a_connection_ends_in_the_middle_of_it)
{
	Gatepost__Subscription *s = subscription_of("x");

	s->presence_events = true;
	make_live(c, s, NULL, 0);
	c->dies = true;
	change("1", NULL, 1, false);
	pass(1100);
	cr_assert(ne(str, (char *)got(a), ""));
}

Test(presence, of_a_channel_that_nobody_wants_it_of_is_ignored)
{
	subscribe(a, 1, 2, subscription_of("x")); /* without it */
	change("1", NULL, 1, false);
	pass(1100);
	has_got(a, "");
}

Test(presence, that_is_not_sent_yet_ends_with_its_channel)
{
	change("1", NULL, 1, false);
	subscription_leave(edge.channels, &a->subscriber);
	subscription_leave(edge.channels, &b->subscriber);
	pass(2000);
	has_got(a, "");
}

/* The story: 63 had joined, and the last frame of the storm said 49. */
Test(presence, has_the_counts_of_the_latest_change_whatever_comes_last)
{
	at_us = 20;
	change("1", NULL, 8, false);
	at_us = 10;
	change("2", NULL, 5, false);
	pass(1100);
	has_got(a,
		"{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[1,2],\"left\":[],"
		"\"connections\":8,\"users\":1}");
	at_us = 15;
	change("3", NULL, 6, false);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[3],\"left\":[],"
		   "\"connections\":8,\"users\":1}");
	pass(11 * 1000);
	at_us = 5; /* the store's clock was set back */
	change(NULL, "3", 7, false);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[],\"left\":[3],"
		   "\"connections\":7,\"users\":1}");
}

Test(presence,
     that_changes_without_names_is_a_frame_of_the_counts_that_takes_no_names_away)
{
	change(NULL, NULL, 7, false);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[],\"left\":[],"
		   "\"connections\":7,\"users\":1}");
	change("1", NULL, 8, false);
	at_us++;
	change(NULL, NULL, 9, false);
	pass(1100);
	has_got(a, "{\"type\":\"presence\",\"channel\":\"x\",\"joined\":[1],\"left\":[],"
		   "\"connections\":9,\"users\":1}");
	pass(5000);
	has_got(a, "");
}
