#include "bench/histogram.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(histogram, no_time_is_off_by_more_than_a_sixty_fourth)
{
	for (int64_t us = 1; us < INT64_C(4000000000); us += us / 7 + 1) {
		struct histogram h = {0};

		histogram_add(&h, us);
		histogram_add(&h, us * 2);
		int64_t half = histogram_at(&h, 0.5);
		cr_assert(ge(i64, half, us));
		cr_assert(le(i64, half, us + us / 64));
		cr_assert(eq(i64, histogram_at(&h, 1), us * 2));
	}
}

Test(histogram, the_share_of_a_hundred_different_times_is_its_rank)
{
	struct histogram h = {0};

	for (int64_t us = 1; us <= 100; us++)
		histogram_add(&h, us);
	cr_assert(eq(i64, histogram_at(&h, 0.5), 50));
	cr_assert(eq(i64, histogram_at(&h, 0.99), 99));
	cr_assert(eq(i64, histogram_at(&h, 1), 100));
}

Test(histogram, merging_counts_what_both_have_counted)
{
	struct histogram a = {0}, b = {0};

	histogram_add(&a, 10);
	histogram_add(&b, 30);
	histogram_add(&b, 40);
	histogram_merge(&a, &b);
	cr_assert(eq(u64, a.count, 3));
	cr_assert(eq(i64, a.most, 40));
	cr_assert(eq(i64, histogram_at(&a, 0.5), 30));
}

Test(histogram, no_time_at_all_gives_zero)
{
	struct histogram h = {0};

	cr_assert(eq(i64, histogram_at(&h, 0.99), 0));
}
