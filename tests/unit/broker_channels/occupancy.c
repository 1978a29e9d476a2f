#include "broker/channels/occupancy/occupancy.h"

#include "fake_occupancy.h"
#include "fixture.h"
#include "tests/unit/broker/fake_function.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct edge_state other; /* of the edge 8, which is not linked */
static bool is_other_known;     /* does the store list it? */
static const char *linked = "";

static void configure(int which, unsigned on)
{
	channels_configured(which)->hook = 0;
	channels_configured(which)->hook_on = on;
}

static void start(void)
{
	channels_start();
	configure(CHANNELS_CHAT, CHANNEL_ON_OCCUPIED | CHANNEL_ON_VACATED);
	configure(CHANNELS_ROOM, CHANNEL_ON_OCCUPIED | CHANNEL_ON_VACATED);
}

TestSuite(occupancy, .init = start, .fini = channels_stop);

/* The reaper asks the same; it does not look at the answers here. */
static void answer_edges(void)
{
	static const uint16_t numbers[] = {7, 8};

	while (fake_store_waiting(LIST) > 0)
		fake_store_list(OK, numbers, is_other_known ? 2 : 1);
	while (fake_store_waiting(LOOK) > 0)
		fake_store_state(OK, fake_store_asked(LOOK)->edge == 8
					     ? &other
					     : &(struct edge_state){.held = true});
}

static void run(int64_t ms)
{
	for (int64_t at = 0; at < ms; at += 50) {
		channels_run(50, linked, false);
		answer_edges();
		fake_occupancy_answer();
	}
}

/* A member that keeps all shards, with one edge. */
static void join(void)
{
	run(2 * BEAT_MS);
	channels_link("e1", 0xe1, 7, "");
	linked = "e1";
	run(1500);
}

static void assert_event(const char *channel, const char *action)
{
	const struct invocation *in;

	cr_assert(eq(sz, fake_function_waiting(), 1));
	in = fake_function_invocation();
	cr_assert(span_is(in->channel->name, channel));
	cr_assert(eq(str, (char *)(uintptr_t)in->channel->action, (char *)action));
	cr_assert(in->channel->is_of_cluster);
}

static void assert_written(const char *channel, const char *text)
{
	cr_assert(eq(str, (char *)(uintptr_t)fake_occupancy_text(channel), (char *)text));
}

static void event_of(char out[ID_TEXT])
{
	id_text(&fake_function_invocation()->id, out);
}

Test(occupancy, of_a_configuration_without_such_a_webhook_asks_the_store_nothing)
{
	configure(CHANNELS_CHAT, CHANNEL_ON_PUBLISH);
	channels_configured(CHANNELS_ROOM)->hook = CONFIG_NONE;
	channels_run(2 * BEAT_MS, "", false);
	channels_link("e1", 0xe1, 7, "chat:1 room:1");
	channels_run(5000, "e1", false);
	cr_assert(eq(sz, fake_occupancy_waiting(), 0));
}

Test(occupancy, tells_the_webhook_what_was_written_before_and_writes_that_it_is_handled)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	fake_loop_run(cluster.loop, 0);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	fake_occupancy_answer();
	assert_event("chat:1", "occupied");
	assert_written("chat:1", "occupied 0");
	fake_function_return(200);
	run(50);
	assert_written("chat:1", "occupied");
	channels_uncarry("e1", "chat:1");
	run(500);
	assert_event("chat:1", "vacated");
	assert_written("chat:1", "vacated 0");
	fake_function_return(200);
	run(50);
	assert_written("chat:1", "");
	cr_assert(eq(i64,
		     cluster_metric("gatepost_broker_occupancy_events_total",
				    "action=\"occupied\""),
		     1));
	cr_assert(eq(i64,
		     cluster_metric("gatepost_broker_occupancy_events_total",
				    "action=\"vacated\""),
		     1));
}

Test(occupancy, has_the_position_of_a_channel_with_history)
{
	join();
	channels_carry("e1", "room:1", NULL, 0, true);
	run(50);
	fake_channels_history("18bf", 7, 0, 0, NULL, 0);
	run(50);
	assert_event("room:1", "occupied");
	cr_assert(span_is(fake_function_invocation()->channel->epoch, "18bf"));
	cr_assert(eq(i64, fake_function_invocation()->channel->offset, 7));
}

Test(occupancy, of_a_channel_that_comes_and_goes_within_a_turn_is_nothing)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	channels_uncarry("e1", "chat:1");
	run(1000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	assert_written("chat:1", "");
}

Test(occupancy, of_two_channels_is_told_at_the_same_time_and_of_one_in_turn)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	channels_carry("e1", "chat:2", NULL, 0, true);
	run(50);
	cr_assert(eq(sz, fake_function_waiting(), 2));
	channels_uncarry("e1", "chat:1");
	run(1000);
	cr_assert(eq(sz, fake_function_waiting(), 2));
	fake_function_return(200);
	run(500);
	cr_assert(eq(sz, fake_function_waiting(), 2));
	fake_function_return(200);
	assert_event("chat:1", "vacated");
}

/* ---- edges that are not linked ---- */

Test(occupancy, lasts_while_an_edge_that_is_not_linked_has_its_lease)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	fake_function_return(200);
	is_other_known = true;
	other = (struct edge_state){.held = true};
	channels_uncarry("e1", "chat:1");
	run(3000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	other = (struct edge_state){.rows = 1}; /* expired, and not reaped yet */
	run(1000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	other = (struct edge_state){.rows = 1, .given_up = true};
	run(500);
	assert_event("chat:1", "vacated");
}

Test(occupancy, lasts_when_the_link_of_its_edge_is_lost_and_comes_back)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	fake_function_return(200);
	linked = ""; /* it is silent until its link has ended, and its lease goes on */
	run(SILENCE_MS + 2000);
	cr_assert(eq(sz, cluster.gone, 1));
	cr_assert(eq(sz, fake_function_waiting(), 0));
	channels_link("e2", 0xe1, 7, "chat:1");
	linked = "e2";
	run(2000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	assert_written("chat:1", "occupied");
}

/* ---- failures ---- */

Test(occupancy, event_that_fails_is_tried_three_times_and_dropped)
{
	char first[ID_TEXT], last[ID_TEXT];

	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	event_of(first);
	fake_function_fail(RESULT_FAILED);
	run(50);
	assert_written("chat:1", "occupied 1");
	cr_assert(eq(sz, fake_function_waiting(), 0));
	run(2000);
	fake_function_fail(RESULT_TIMEOUT);
	run(3500);
	event_of(last);
	cr_assert(eq(str, first, last));
	fake_function_fail(RESULT_FAILED);
	run(50);
	assert_written("chat:1", "occupied");
	run(10000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	cr_assert(eq(i64, cluster_metric("gatepost_broker_occupancy_failed_total", NULL),
		     3));
	cr_assert(eq(i64, cluster_metric("gatepost_broker_occupancy_dropped_total", NULL),
		     1));
}

Test(occupancy, event_is_written_again_when_the_store_did_not_answer)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	fake_loop_run(cluster.loop, 0);
	fake_occupancy_fail(ERR_DOWN);
	run(900);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	run(500);
	assert_event("chat:1", "occupied");
	fake_function_return(200);
	fake_occupancy_fail(ERR_DOWN);
	run(1500);
	assert_written("chat:1", "occupied");
	cr_assert(eq(sz, fake_function_waiting(), 0));
}

/* ---- who keeps a shard ---- */

Test(occupancy, event_that_another_broker_has_left_is_told_again_as_it_was)
{
	static const struct occupancy left = {.is_occupied = true,
					      .is_pending = true,
					      .event = "AAAAAAAAAAAAAAE=",
					      .time_ms = 1234,
					      .tries = 2,
					      .epoch = "18bf",
					      .offset = 5};
	char event[ID_TEXT];

	fake_occupancy_put("room:1", &left);
	join();
	assert_event("room:1", "occupied");
	event_of(event);
	cr_assert(eq(str, event, "AAAAAAAAAAAAAAE="));
	cr_assert(eq(i64, fake_function_invocation()->time_ms, 1234));
	cr_assert(eq(i64, fake_function_invocation()->channel->offset, 5));
	fake_function_fail(RESULT_FAILED); /* the third */
	run(50);
	cr_assert(eq(i64, cluster_metric("gatepost_broker_occupancy_dropped_total", NULL),
		     1));
}

Test(occupancy, of_a_channel_that_nobody_carries_after_a_restart_of_all_is_vacated)
{
	fake_occupancy_put("chat:1", &(struct occupancy){.is_occupied = true});
	join();
	assert_event("chat:1", "vacated");
}

Test(occupancy, is_left_to_the_broker_that_keeps_the_shard)
{
	fake_occupancy_keep(true);
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(5000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	fake_occupancy_keep(false); /* it has died */
	run(1500);
	assert_event("chat:1", "occupied");
}

Test(occupancy, event_is_not_told_when_another_broker_keeps_the_shard_at_its_write)
{
	join();
	fake_occupancy_keep(true);
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	assert_written("chat:1", "");
}

Test(occupancy, result_that_comes_after_the_shard_was_lost_does_not_count)
{
	char first[ID_TEXT], second[ID_TEXT];

	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	event_of(first);
	fake_occupancy_clear(); /* Redis was emptied */
	run(3000);
	cr_assert(eq(sz, fake_function_waiting(), 1)); /* never two at a time */
	assert_written("chat:1", "");
	fake_function_return(200);
	run(50);
	assert_event("chat:1", "occupied");
	event_of(second);
	cr_assert(ne(str, first, second));
	fake_function_return(200);
	run(50);
	assert_written("chat:1", "occupied");
}

Test(occupancy, is_kept_no_longer_when_the_store_was_silent_for_a_lease)
{
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	channels_run(6000, "e1", false); /* the leases are over */
	fake_function_return(200);
	fake_occupancy_fail(ERR_DOWN);
	assert_written("chat:1", "occupied 0");
	run(2000); /* kept again */
	assert_event("chat:1", "occupied");
}

/* ---- configuration, drain ---- */

Test(occupancy, webhook_of_a_new_configuration_is_told_what_is_occupied)
{
	channels_configured(CHANNELS_CHAT)->hook = CONFIG_NONE;
	join();
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(1000);
	cr_assert(eq(sz, fake_function_waiting(), 0));
	configure(CHANNELS_CHAT, CHANNEL_ON_OCCUPIED);
	occupancy_reload(channels_occupancies(channels));
	run(50);
	assert_event("chat:1", "occupied");
	fake_function_return(200);
	channels_uncarry("e1", "chat:1");
	run(500);
	cr_assert(eq(sz, fake_function_waiting(), 0)); /* vacated is not asked for */
	assert_written("chat:1", "");
}

Test(occupancy, event_under_way_ends_before_a_drain_and_no_other_begins)
{
	struct occupancies *o = channels_occupancies(channels);

	join();
	cr_assert(eq(sz, fake_occupancy_kept(), OCCUPANCY_SHARDS));
	channels_carry("e1", "chat:1", NULL, 0, true);
	run(50);
	occupancy_stop(o);
	channels_carry("e1", "chat:2", NULL, 0, true);
	run(8000);
	assert_event("chat:1", "occupied");
	cr_assert(eq(sz, fake_occupancy_kept(), 1));
	cr_assert(not(occupancy_is_stopped(o)));
	fake_function_return(200);
	run(300);
	assert_written("chat:1", "occupied");
	assert_written("chat:2", "");
	cr_assert(eq(sz, fake_occupancy_kept(), 0));
	cr_assert(occupancy_is_stopped(o));
}
