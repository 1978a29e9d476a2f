#include "broker/channels/delivery/waiting.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { MS = 100, MOST = 2 };

static struct waiting *waiting;
static int released, failed, may; /* may: how many */

static void start(void)
{
	cluster.loop = loop_new();
	waiting = waiting_new(cluster.loop, MS, MOST);
}

static void stop(void)
{
	waiting_free(waiting);
	loop_free(cluster.loop);
}

TestSuite(waiting, .init = start, .fini = stop);

static void on_end(void *arg, bool in_time)
{
	(void)arg;
	released += in_time;
	failed += !in_time;
}

static bool holds(const void *arg)
{
	(void)arg;
	return may-- > 0;
}

Test(waiting, takes_no_more_than_it_may)
{
	cr_assert(waiting_add(waiting, on_end, NULL));
	cr_assert(waiting_add(waiting, on_end, NULL));
	cr_assert(not(waiting_add(waiting, on_end, NULL)));
	cr_assert(eq(sz, waiting_count(waiting), 2));
}

Test(waiting, releases_for_as_long_as_the_condition_holds)
{
	waiting_add(waiting, on_end, NULL);
	waiting_add(waiting, on_end, NULL);
	may = 1;
	waiting_release(waiting, holds, NULL);
	cr_assert(eq(int, released, 1));
	cr_assert(eq(sz, waiting_count(waiting), 1));
}

Test(waiting, ends_each_after_its_own_time)
{
	waiting_add(waiting, on_end, NULL);
	fake_loop_run(cluster.loop, 60);
	waiting_add(waiting, on_end, NULL);
	fake_loop_run(cluster.loop, 40);
	cr_assert(eq(int, failed, 1));
	fake_loop_run(cluster.loop, 59);
	cr_assert(eq(int, failed, 1));
	fake_loop_run(cluster.loop, 1);
	cr_assert(eq(int, failed, 2));
	cr_assert(eq(int, released, 0));
}
