#include "broker/events/dead_letters.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { ASK_MS = 10 * 1000 };

static struct dead_letters *d;

static void start(void)
{
	fixture_start();
	d = dead_letters_new(fixture.loop, fake_store(), fixture.metrics);
}

static void stop(void)
{
	dead_letters_free(d);
	fixture_stop();
}

TestSuite(dead_letters, .init = start, .fini = stop);

static int64_t shown(void)
{
	return metric_value(metric_gauge(fixture.metrics,
					 "gatepost_broker_disconnects_parked", NULL, ""));
}

Test(dead_letters, are_counted_every_ten_seconds)
{
	fake_loop_run(fixture.loop, ASK_MS - 1);
	cr_assert(eq(sz, fake_store_waiting(COUNT), 0));
	fake_loop_run(fixture.loop, 1);
	fake_store_counted(OK, 5);
	cr_assert(eq(i64, shown(), 5));
	fake_loop_run(fixture.loop, ASK_MS);
	fake_store_counted(OK, 7);
	cr_assert(eq(i64, shown(), 7));
}

Test(dead_letters, are_not_counted_again_before_the_store_has_answered)
{
	fake_loop_run(fixture.loop, 3 * ASK_MS);
	cr_assert(eq(sz, fake_store_waiting(COUNT), 1));
}

Test(dead_letters, stay_as_they_were_while_the_store_fails_or_is_down)
{
	fake_loop_run(fixture.loop, ASK_MS);
	fake_store_counted(OK, 5);
	fake_loop_run(fixture.loop, ASK_MS);
	fake_store_counted(ERR_DOWN, 0);
	cr_assert(eq(i64, shown(), 5));
	fake_store_set_up(false);
	fake_loop_run(fixture.loop, 2 * ASK_MS);
	cr_assert(eq(sz, fake_store_waiting(COUNT), 0));
	cr_assert(eq(i64, shown(), 5));
}
