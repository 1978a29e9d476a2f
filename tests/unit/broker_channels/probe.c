#include "broker/channels/delivery/probe.h"

#include "broker/channels/delivery/interest_list.h"
#include "fixture.h"
#include "proto/probe.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(probe, .init = channels_start, .fini = channels_stop);

/* Its probe has come to the edge, where it has reached so many. */
static void answer(const char *from, uint32_t reached)
{
	const Gatepost__Deliver *d = channels_deliver(from);
	Gatepost__Outcome *o;

	cr_assert(d != NULL, "no probe for %s", from);
	cr_assert(span_is(span_from(d->channel), PROBE_CHANNEL));
	cr_assert(eq(sz, d->epoch.len, 0));
	cr_assert(ne(u64, d->ticket, 0));
	o = batch_add(cluster_letter(), GATEPOST__ITEM__BODY_OUTCOME,
		      &gatepost__outcome__descriptor);
	o->ticket = d->ticket;
	o->result = GATEPOST__OUTCOME__RESULT__OK;
	o->reached = reached;
	cluster_post(from);
}

static void run_interval(const char *edges)
{
	channels_run(PROBE_MS, edges, false);
}

static const char *missing(void)
{
	const char *why = channels_missing(channels);

	return why != NULL ? why : "";
}

static int64_t probes(const char *result)
{
	return cluster_metric("gatepost_broker_delivery_probes_total", result);
}

Test(probe,
     goes_to_each_linked_edge_every_interval_and_what_reaches_its_subscriber_was_delivered)
{
	channels_link("e1", 0xe1, 7, PROBE_CHANNEL);
	channels_link("e2", 0xe2, 8, PROBE_CHANNEL);
	for (int i = 0; i < 3; i++) {
		run_interval("e1 e2");
		answer("e1", 1);
		answer("e2", 1);
		cr_assert(channels_deliver("e1") == NULL);
	}
	cr_assert(eq(i64, probes("result=\"delivered\""), 6));
	cr_assert(eq(i64, probes("result=\"missed\""), 0));
	cr_assert(eq(str, (char *)missing(), ""));
}

Test(probe, two_in_a_row_that_reach_nobody_turn_readiness_off_until_one_does)
{
	channels_link("e1", 0xe1, 7, PROBE_CHANNEL);
	run_interval("e1");
	answer("e1", 0);
	cr_assert(eq(str, (char *)missing(), ""));
	run_interval("e1");
	answer("e1", 0);
	cr_assert(eq(str, (char *)missing(), "delivery to edge does not work"));
	run_interval("e1");
	answer("e1", 1);
	cr_assert(eq(str, (char *)missing(), ""));
	cr_assert(eq(i64, probes("result=\"missed\""), 2));
}

Test(probe, without_an_answer_is_missed_after_2_s)
{
	channels_link("e1", 0xe1, 7, PROBE_CHANNEL);
	run_interval("e1");
	channels_run(1900, "e1", false);
	cr_assert(eq(i64, probes("result=\"missed\""), 0));
	channels_run(200, "e1", false);
	cr_assert(eq(i64, probes("result=\"missed\""), 1));
}

Test(probe, of_an_edge_whose_interest_is_not_known_is_missed_but_for_the_first)
{
	channels_link("e1", 0xe1, 7, "chat");
	run_interval("e1");
	cr_assert(eq(i64, probes("result=\"missed\""), 0));
	run_interval("e1");
	run_interval("e1");
	cr_assert(eq(i64, probes("result=\"missed\""), 2));
	cr_assert(eq(str, (char *)missing(), "delivery to edge does not work"));
}

Test(probe, of_a_link_that_ends_is_forgotten)
{
	channels_link("e1", 0xe1, 7, PROBE_CHANNEL);
	for (int i = 0; i < 2; i++) {
		run_interval("e1");
		answer("e1", 0);
	}
	channels_run(PROBE_MS - 4000, "e1", false);
	channels_run(SILENCE_MS + 500, "", false); /* the next one is on its way */
	cr_assert(channels_deliver("e1") != NULL);
	cr_assert(eq(sz, cluster.gone, 1));
	cr_assert(eq(str, (char *)missing(), ""));
	channels_run(3 * PROBE_MS, "", false);
	cr_assert(eq(i64, probes("result=\"missed\""), 2));
}

Test(probe, is_in_no_list_of_channels)
{
	struct span out[4];

	channels_link("e1", 0xe1, 7, "chat " PROBE_CHANNEL);
	cr_assert(eq(sz,
		     interest_list(channels_carried(channels), (struct span){0},
				   (struct span){0}, out, 4),
		     1));
	cr_assert(span_is(out[0], "chat"));
}
