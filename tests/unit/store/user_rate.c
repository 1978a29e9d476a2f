#include "store/user_rate.h"

#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

TestSuite(user_rate, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

struct answer {
	enum err err;
	bool is_within;
};

static void on_rate(void *arg, enum err e, bool is_within)
{
	struct answer *a = arg;

	*a = (struct answer){e, is_within};
	loop_stop(fixture.loop);
}

static bool ask(const char *user, const char *name, int64_t per_second)
{
	struct answer a;

	store_user_rate(fixture.store, span_str(user), span_str(name), per_second,
			on_rate, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a.is_within;
}

/* The second of Redis's clock. */
static long second(void)
{
	return strtol(store_fixture_redis(&fixture, "EVAL %s 0",
					  "return redis.call('TIME')[1]"),
		      NULL, 10);
}

Test(user_rate, of_a_second_the_first_ones_are_within)
{
	long before;
	bool first, second_one, third, other, elsewhere;

	do { /* again when the second ends meanwhile */
		before = second();
		first = ask("u", "room", 2);
		second_one = ask("u", "room", 2);
		third = ask("u", "room", 2);
		other = ask("v", "room", 2);
		elsewhere = ask("u", "news", 2);
	} while (second() != before);
	cr_assert(not(third));
	cr_assert(other && elsewhere);
	cr_assert(first && second_one);
}

Test(user_rate, the_next_second_begins_anew)
{
	long before = second();

	while (ask("u", "room", 1))
		;
	while (second() <= before + 1)
		;
	cr_assert(ask("u", "room", 1));
}

Test(user_rate, what_is_not_ours_in_redis_begins_anew)
{
	store_fixture_redis(&fixture, "SET t:{u}:rate:room nonsense");
	cr_assert(ask("u", "room", 1));
}

Test(user_rate, a_count_expires)
{
	ask("u", "room", 1);
	cr_assert(gt(
		long,
		strtol(store_fixture_redis(&fixture, "PTTL t:{u}:rate:room"), NULL, 10),
		0));
}
