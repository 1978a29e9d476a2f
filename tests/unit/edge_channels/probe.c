#include "edge/channels/probe.h"

#include "fixture.h"
#include "proto/probe.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void start(void)
{
	channels_start();
	probe_begin(edge.channels);
}

TestSuite(probe, .init = start, .fini = channels_end, .timeout = 30);

static bool is_ready(void)
{
	return probe_missing(edge.channels) == NULL;
}

Test(probe, is_answered_by_way_of_the_channel_that_the_edge_carries)
{
	turn();
	link_up(1);
	turn();
	cr_assert(eq(str, (char *)link_sent(1), "I1*(" PROBE_CHANNEL ")"));
	deliver_asked(1, 7, PROBE_CHANNEL, NULL, 0, "{}");
	turn();
	cr_assert(eq(str, (char *)link_sent(1), "O7=OK:1"));
}

Test(probe, is_neither_a_channel_nor_a_subscription_in_the_metrics)
{
	cr_assert(eq(i64, counted("gatepost_edge_channels", NULL), 0));
	cr_assert(eq(i64, counted("gatepost_edge_subscriptions", NULL), 0));
}

Test(probe, the_edge_is_not_ready_when_none_has_come_for_two_intervals)
{
	link_up(1);
	pass(2 * PROBE_MS);
	cr_assert(is_ready());
	pass(PROBE_MS);
	cr_assert(not(is_ready()));
	deliver_asked(1, 7, PROBE_CHANNEL, NULL, 0, "{}");
	cr_assert(is_ready(), "one has come");
}

Test(probe, of_one_broker_is_enough)
{
	link_up(1);
	link_up(2);
	for (int i = 0; i < 4; i++) {
		pass(PROBE_MS);
		deliver_asked(2, 7, PROBE_CHANNEL, NULL, 0, "{}");
	}
	cr_assert(is_ready());
}

Test(probe, is_not_missed_before_a_broker_is_linked)
{
	pass(4 * PROBE_MS);
	cr_assert(is_ready(), "readiness says that no broker is linked");
	link_up(1);
	cr_assert(is_ready());
}
