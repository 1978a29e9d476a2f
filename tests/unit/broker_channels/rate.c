#include "broker/channels/client/rate.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { MOST = 8 };

static struct rates *rates;

static void start(void)
{
	rates = rates_new(MOST);
}

static void stop(void)
{
	rates_free(rates);
}

TestSuite(rate, .init = start, .fini = stop);

static bool allow(uint32_t slot, const char *name, int64_t per_second, int64_t now_ms)
{
	struct id id = id_make(1, slot, 5);

	return rate_allow(rates, &id, span_str(name), per_second, now_ms);
}

/* How many of 100 at once. */
static int burst(uint32_t slot, int64_t per_second, int64_t now_ms)
{
	int n = 0;

	for (int i = 0; i < 100; i++)
		n += allow(slot, "room", per_second, now_ms);
	return n;
}

Test(rate, a_burst_is_one_second_s_worth)
{
	cr_assert(eq(int, burst(1, 20, 5000), 20));
	cr_assert(eq(int, burst(1, 20, 5000), 0));
}

Test(rate, it_fills_up_at_the_rate)
{
	burst(1, 20, 5000);
	cr_assert(eq(int, burst(1, 20, 5049), 0));
	cr_assert(eq(int, burst(1, 20, 5050), 1));
	cr_assert(eq(int, burst(1, 20, 5500), 9));
	cr_assert(eq(int, burst(1, 20, 9000), 20));
}

Test(rate, one_in_a_second_comes_back_after_a_second)
{
	cr_assert(allow(1, "room", 1, 5000));
	cr_assert(not(allow(1, "room", 1, 5999)));
	cr_assert(allow(1, "room", 1, 6000));
}

Test(rate, connections_and_namespaces_have_their_own)
{
	cr_assert(allow(1, "room", 1, 5000));
	cr_assert(allow(2, "room", 1, 5000));
	cr_assert(allow(1, "news", 1, 5000));
	cr_assert(not(allow(1, "room", 1, 5000)));
}

Test(rate, a_lower_rate_counts_at_once)
{
	cr_assert(allow(1, "room", 50, 5000));
	cr_assert(eq(int, burst(1, 3, 5000), 3));
}

Test(rate, full_buckets_are_forgotten)
{
	for (uint32_t i = 0; i < 5; i++)
		allow(i, "room", 5, 5000);
	cr_assert(eq(sz, rates_size(rates), 5));
	for (int i = 0; i < 3; i++)
		allow(9, "room", 5, 6000);
	cr_assert(eq(sz, rates_size(rates), 1));
}

Test(rate, there_are_never_more_than_the_most)
{
	for (uint32_t i = 0; i < 100; i++)
		allow(i, "room", 5, 5000);
	cr_assert(eq(sz, rates_size(rates), MOST));
}
