#include "base/backoff.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static void assert_about(int tries, int64_t ms)
{
	for (int i = 0; i < 100; i++) {
		int64_t pause = backoff_ms(tries);

		cr_assert(ge(i64, pause, ms * 3 / 4));
		cr_assert(le(i64, pause, ms * 5 / 4));
	}
}

Test(backoff, doubles_from_a_second_to_five_minutes_give_or_take_a_quarter)
{
	assert_about(1, 1000);
	assert_about(2, 2000);
	assert_about(9, 256000);
	assert_about(10, 300000);
	assert_about(1000000, 300000);
}
