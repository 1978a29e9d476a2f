#include "broker/channels/delivery/generation.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

TestSuite(generation, .init = channels_start, .fini = channels_stop);

static struct outcome out;

Test(generation, that_is_sure_goes_with_each_question)
{
	struct span proposed;

	cluster_beat("c1", false);
	publish_to(&room, "room:1", &out);
	cr_assert(span_is(fake_channels_append()->append.look.generation, "c1"));
	proposed = fake_channels_append()->append.look.proposed;
	cr_assert(eq(sz, proposed.n, GENERATION_PROPOSED - 1));
}

Test(generation, is_awaited_until_the_first_beat)
{
	publish_to(&room, "room:1", &out);
	cr_assert(eq(sz, fake_channels_waiting(), 0));
	cluster_run(500, "");
	cluster_beat("c1", false);
	cr_assert(eq(sz, fake_channels_waiting(), 1));
}

Test(generation, is_unsure_after_the_store_came_back_until_a_beat_was_answered)
{
	cluster_beat("c1", false);
	fake_channels_up();
	publish_to(&room, "room:1", &out);
	publish_to(&room, "room:2", &out);
	cr_assert(eq(sz, fake_channels_waiting(), 0));
	members_beat(cluster.members);
	cluster_beat("c2", false);
	cr_assert(eq(sz, fake_channels_waiting(), 2));
	cr_assert(span_is(fake_channels_append()->append.look.generation, "c2"));
	cr_assert(span_is(fake_channels_append()->append.look.channel, "room:1"));
}

Test(generation, that_is_not_known_within_a_second_fails_the_question)
{
	cluster_beat("c1", false);
	fake_channels_up();
	publish_to(&room, "room:1", &out);
	cluster_run(950, "");
	cr_assert(eq(sz, out.calls, 0));
	cluster_run(50, "");
	cr_assert(eq(sz, out.calls, 1));
	cr_assert(eq(str, out.code, "unavailable"));
	cr_assert(eq(sz, fake_channels_waiting(), 0));
}

Test(generation, fails_at_once_when_the_store_has_been_down_for_a_second)
{
	cluster_beat("c1", false);
	fake_store_set_up(false);
	fake_store_set_lost(loop_now(cluster.loop));
	publish_to(&room, "room:1", &out);
	cr_assert(eq(sz, out.calls, 0));
	cluster_run(1000, "");
	cr_assert(eq(sz, out.calls, 1));
	publish_to(&room, "room:1", &out);
	cr_assert(eq(sz, out.calls, 2));
	cr_assert(out.is_failed);
}

Test(generation, that_some_wait_for_at_the_end_is_freed_with_them)
{
	publish_to(&room, "room:1", &out);
	publish_to(&chat, "chat", &out);
	cr_assert(eq(sz, out.calls, 0));
}
