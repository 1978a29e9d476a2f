#include "store/disconnects.h"

#include "tests/unit/store/bed_owed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { LONG_MS = 60000, MOST = 100 };

#define A "AAcAAAAAaaaaaaa="
#define B "AAcAAAAAbbbbbbb="

TestSuite(parked, .init = bed_init, .fini = bed_fini, .timeout = 60);

static enum err park(const char *id, int64_t most)
{
	struct disconnect d = owed_one(id);
	struct done done = {.bed = &bed};

	d.tries = 10;
	d.error = span_str("status 500");
	store_disconnect_park(bed.store, &d, most, on_done, &done);
	return bed_wait(&done);
}

/* Owed by a broker whose last try has failed. */
static enum err owe_and_park(const char *id, int64_t most)
{
	struct disconnect d = owed_one(id);

	cr_assert(eq(int, owed_begin(&bed, &d, 0).err, OK));
	return park(id, most);
}

static enum err retry(const char *id)
{
	struct done d = {.bed = &bed};

	store_parked_retry(bed.store, span_str(id), on_done, &d);
	return bed_wait(&d);
}

static enum err drop(const char *id)
{
	struct done d = {.bed = &bed};

	store_parked_drop(bed.store, span_str(id), on_done, &d);
	return bed_wait(&d);
}

struct counted {
	enum err err;
	int64_t n;
};

static void on_count(void *arg, enum err e, int64_t n)
{
	*(struct counted *)arg = (struct counted){e, n};
	loop_stop(bed.loop);
}

static int64_t count(void)
{
	struct counted c = {.err = ERR_AGAIN};

	store_parked_count(bed.store, on_count, &c);
	bed_run(&bed);
	cr_assert(eq(int, c.err, OK));
	return c.n;
}

Test(parked, disconnect_is_owed_no_more_and_seen_with_all_it_had)
{
	struct owed_list l;

	cr_assert(eq(int, owe_and_park(A, MOST), OK));
	cr_assert(eq(sz, owed_claim(&bed, 10, LONG_MS).n, 0));
	cr_assert(eq(i64, count(), 1));
	l = owed_parked(&bed);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(str, l.of[0].id, A));
	cr_assert(eq(u16, l.of[0].edge, 7));
	cr_assert(eq(int, l.of[0].tries, 10));
	cr_assert(eq(str, l.of[0].error, "status 500"));
	cr_assert(eq(str, l.of[0].stage, "dev"));
	cr_assert(eq(i64, l.of[0].time_ms, 5000));
}

Test(parked, disconnect_that_is_parked_once_more_after_a_crash_is_there_once)
{
	cr_assert(eq(int, owe_and_park(A, 1), OK));
	cr_assert(eq(int, owe_and_park(A, 1), OK));
	cr_assert(eq(int, park(A, 1), OK));
	cr_assert(eq(i64, count(), 1));
}

Test(parked, disconnect_over_the_limit_is_dropped)
{
	cr_assert(eq(int, owe_and_park(A, 1), OK));
	cr_assert(eq(int, owe_and_park(B, 1), ERR_TOOBIG));
	cr_assert(eq(i64, count(), 1));
	cr_assert(eq(sz, owed_claim(&bed, 10, LONG_MS).n, 0));
	cr_assert(eq(str, (char *)bed_redis(&bed, "EXISTS t:{e7}:disconnects"), "0"));
}

Test(parked, disconnect_that_is_retried_is_owed_without_tries_and_its_edge_is_on_the_list)
{
	struct owed_list l;

	owe_and_park(A, MOST);
	cr_assert(eq(int, retry(A), OK));
	cr_assert(eq(i64, count(), 0));
	cr_assert(eq(str, (char *)bed_redis(&bed, "SISMEMBER t:{m}:edges 7"), "1"));
	l = owed_claim(&bed, 10, LONG_MS);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(int, l.of[0].tries, 0));
	cr_assert(eq(str, l.of[0].error, ""));
	cr_assert(eq(i64, l.of[0].time_ms, 5000));
	cr_assert(eq(str, l.of[0].reason, "bye"));
	cr_assert(eq(int, retry(A), ERR_NOTFOUND));
}

Test(parked, retry_leaves_what_is_owed_still_as_it_is)
{
	struct disconnect d = owed_one(A);

	owe_and_park(A, MOST);
	owed_begin(&bed, &d, LONG_MS); /* as if the broker had died between the two */
	cr_assert(eq(int, retry(A), OK));
	cr_assert(eq(sz, owed_claim(&bed, 10, LONG_MS).n, 0));
	cr_assert(eq(str, (char *)bed_redis(&bed, "HLEN t:{e7}:disconnects"), "1"));
}

Test(parked, disconnect_that_is_dropped_is_gone)
{
	owe_and_park(A, MOST);
	cr_assert(eq(int, drop(A), OK));
	cr_assert(eq(int, drop(A), ERR_NOTFOUND));
	cr_assert(eq(int, retry(A), ERR_NOTFOUND));
	cr_assert(eq(i64, count(), 0));
}

Test(parked, disconnects_of_another_hand_are_seen_and_can_be_dropped)
{
	struct owed_list l;

	bed_redis(&bed, "HSET t:{m}:parked x1 nonsense x2 {}");
	owe_and_park(A, MOST);
	l = owed_parked(&bed);
	cr_assert(eq(int, l.err, OK));
	cr_assert(eq(sz, l.n, 3));
	for (size_t i = 0; i < l.n; i++)
		cr_assert(eq(int, l.of[i].is_broken, strcmp(l.of[i].id, A) != 0));
	cr_assert(eq(int, retry("x1"), ERR_MALFORMED));
	cr_assert(eq(int, drop("x1"), OK));
	cr_assert(eq(i64, count(), 2));
}

Test(parked, key_of_another_type_is_malformed_for_every_question)
{
	struct counted c = {0};

	bed_redis(&bed, "SET t:{m}:parked text");
	cr_assert(eq(int, owe_and_park(A, MOST), ERR_MALFORMED));
	cr_assert(eq(str, (char *)bed_redis(&bed, "HLEN t:{e7}:disconnects"), "1"));
	cr_assert(eq(int, owed_parked(&bed).err, ERR_MALFORMED));
	cr_assert(eq(int, retry(A), ERR_MALFORMED));
	cr_assert(eq(int, drop(A), ERR_MALFORMED));
	store_parked_count(bed.store, on_count, &c);
	bed_run(&bed);
	cr_assert(eq(int, c.err, ERR_MALFORMED));
}
