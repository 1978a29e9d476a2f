#include "broker/function/circuit.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct circuit k;

static bool may_enter(int64_t now_ms)
{
	bool probe;

	return circuit_allow(&k, now_ms, &probe);
}

static void fail(int64_t now_ms, int times)
{
	for (int i = 0; i < times; i++) {
		bool probe;

		cr_assert(circuit_allow(&k, now_ms, &probe), "failure %d", i);
		circuit_record(&k, now_ms, probe, true);
	}
}

Test(circuit, nine_failures_are_borne_and_the_tenth_is_not)
{
	fail(5, 9);
	cr_assert(may_enter(5));
	fail(5, 1);
	cr_assert(not(may_enter(5)));
	cr_assert(not(may_enter(1004)));
	cr_assert(may_enter(1005));
}

Test(circuit, a_success_in_between_forgets_the_failures)
{
	fail(5, 9);
	circuit_record(&k, 5, false, false);
	fail(5, 9);
	cr_assert(may_enter(5));
}

Test(circuit, after_the_rest_one_goes_through_at_a_time)
{
	bool probe;

	fail(0, 10);
	cr_assert(circuit_allow(&k, 1000, &probe));
	cr_assert(probe);
	cr_assert(not(may_enter(1000)));
	cr_assert(not(may_enter(99999)));
	circuit_record(&k, 1100, true, false);
	cr_assert(circuit_allow(&k, 1100, &probe));
	cr_assert(not(probe));
	cr_assert(may_enter(1100));
}

Test(circuit, each_probe_that_fails_doubles_the_rest_up_to_half_a_minute)
{
	int64_t now = 0, rests[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};

	fail(now, 10);
	for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
		now += rests[i];
		cr_assert(not(may_enter(now - 1)), "rest %zu", i);
		fail(now, 1);
	}
}

/* The story: 100 invocations were under way when a function died, and each of the last 91
 * failures doubled the rest: half a minute for a function that was back after a second. */
Test(circuit, a_hundred_failures_at_once_are_one_reason_to_rest)
{
	for (int i = 0; i < 100; i++)
		cr_assert(eq(int, circuit_record(&k, 0, false, true), i == 9), "%d", i);
	cr_assert(may_enter(1000));
}

Test(circuit, a_late_success_of_one_that_was_under_way_closes_it)
{
	fail(0, 10);
	circuit_record(&k, 10, false, false);
	cr_assert(may_enter(11));
	cr_assert(may_enter(11));
}

/* A probe is out, a straggler fails: the probe still decides. */
Test(circuit, a_straggler_that_fails_does_not_let_a_second_probe_through)
{
	bool probe;

	fail(0, 10);
	cr_assert(circuit_allow(&k, 1000, &probe));
	circuit_record(&k, 1001, false, true);
	cr_assert(not(may_enter(1002)));
	circuit_record(&k, 1003, true, false);
	cr_assert(may_enter(1003));
}
