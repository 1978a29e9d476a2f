#include "store/disconnects.h"

#include "tests/unit/store/fixture_pending.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { LONG_MS = 60000, MOST = 100 };

#define A "AAcAAAAAaaaaaaa="
#define B "AAcAAAAAbbbbbbb="

TestSuite(dead_letters, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

static enum err park(const char *id, int64_t most)
{
	struct disconnect d = pending_one(id);
	struct done done = {.fixture = &fixture};

	d.tries = 10;
	d.error = span_str("status 500");
	store_dead_letter_add(fixture.store, &d, most, on_done, &done);
	return store_fixture_wait(&done);
}

/* Owed by a broker whose last try has failed. */
static enum err owe_and_park(const char *id, int64_t most)
{
	struct disconnect d = pending_one(id);

	cr_assert(eq(int, pending_begin(&fixture, &d, 0).err, OK));
	return park(id, most);
}

static enum err retry(const char *id)
{
	struct done d = {.fixture = &fixture};

	store_dead_letter_retry(fixture.store, span_str(id), on_done, &d);
	return store_fixture_wait(&d);
}

static enum err drop(const char *id)
{
	struct done d = {.fixture = &fixture};

	store_dead_letter_drop(fixture.store, span_str(id), on_done, &d);
	return store_fixture_wait(&d);
}

struct counted {
	enum err err;
	int64_t n;
};

static void on_count(void *arg, enum err e, int64_t n)
{
	*(struct counted *)arg = (struct counted){e, n};
	loop_stop(fixture.loop);
}

static int64_t count(void)
{
	struct counted c = {.err = ERR_AGAIN};

	store_dead_letters_count(fixture.store, on_count, &c);
	store_fixture_run(&fixture);
	cr_assert(eq(int, c.err, OK));
	return c.n;
}

Test(dead_letters, disconnect_is_pending_no_more_and_seen_with_all_it_had)
{
	struct pending_list l;

	cr_assert(eq(int, owe_and_park(A, MOST), OK));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 0));
	cr_assert(eq(i64, count(), 1));
	l = pending_dead(&fixture);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(str, l.of[0].id, A));
	cr_assert(eq(u16, l.of[0].edge, 7));
	cr_assert(eq(int, l.of[0].tries, 10));
	cr_assert(eq(str, l.of[0].error, "status 500"));
	cr_assert(eq(str, l.of[0].stage, "dev"));
	cr_assert(eq(i64, l.of[0].time_ms, 5000));
}

Test(dead_letters, disconnect_that_is_a_dead_letter_once_more_after_a_crash_is_there_once)
{
	cr_assert(eq(int, owe_and_park(A, 1), OK));
	cr_assert(eq(int, owe_and_park(A, 1), OK));
	cr_assert(eq(int, park(A, 1), OK));
	cr_assert(eq(i64, count(), 1));
}

Test(dead_letters, disconnect_over_the_limit_is_dropped)
{
	cr_assert(eq(int, owe_and_park(A, 1), OK));
	cr_assert(eq(int, owe_and_park(B, 1), ERR_TOOBIG));
	cr_assert(eq(i64, count(), 1));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:disconnects"),
		     "0"));
}

Test(dead_letters,
     disconnect_that_is_retried_is_pending_without_tries_and_its_edge_is_on_the_list)
{
	struct pending_list l;

	owe_and_park(A, MOST);
	cr_assert(eq(int, retry(A), OK));
	cr_assert(eq(i64, count(), 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "SISMEMBER t:{m}:edges 7"),
		     "1"));
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(int, l.of[0].tries, 0));
	cr_assert(eq(str, l.of[0].error, ""));
	cr_assert(eq(i64, l.of[0].time_ms, 5000));
	cr_assert(eq(str, l.of[0].reason, "bye"));
	cr_assert(eq(int, retry(A), ERR_NOTFOUND));
}

Test(dead_letters, retry_leaves_what_is_still_pending_as_it_is)
{
	struct disconnect d = pending_one(A);

	owe_and_park(A, MOST);
	pending_begin(&fixture, &d,
		      LONG_MS); /* as if the broker had died between the two */
	cr_assert(eq(int, retry(A), OK));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "HLEN t:{e7}:disconnects"),
		     "1"));
}

Test(dead_letters, disconnect_that_is_dropped_is_gone)
{
	owe_and_park(A, MOST);
	cr_assert(eq(int, drop(A), OK));
	cr_assert(eq(int, drop(A), ERR_NOTFOUND));
	cr_assert(eq(int, retry(A), ERR_NOTFOUND));
	cr_assert(eq(i64, count(), 0));
}

Test(dead_letters, disconnects_of_another_hand_are_seen_and_can_be_dropped)
{
	struct pending_list l;

	store_fixture_redis(&fixture, "HSET t:{m}:parked x1 nonsense x2 {}");
	owe_and_park(A, MOST);
	l = pending_dead(&fixture);
	cr_assert(eq(int, l.err, OK));
	cr_assert(eq(sz, l.n, 3));
	for (size_t i = 0; i < l.n; i++)
		cr_assert(eq(int, l.of[i].is_broken, strcmp(l.of[i].id, A) != 0));
	cr_assert(eq(int, retry("x1"), ERR_MALFORMED));
	cr_assert(eq(int, drop("x1"), OK));
	cr_assert(eq(i64, count(), 2));
}

Test(dead_letters, key_of_another_type_is_malformed_for_every_question)
{
	struct counted c = {0};

	store_fixture_redis(&fixture, "SET t:{m}:parked text");
	cr_assert(eq(int, owe_and_park(A, MOST), ERR_MALFORMED));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "HLEN t:{e7}:disconnects"),
		     "1"));
	cr_assert(eq(int, pending_dead(&fixture).err, ERR_MALFORMED));
	cr_assert(eq(int, retry(A), ERR_MALFORMED));
	cr_assert(eq(int, drop(A), ERR_MALFORMED));
	store_dead_letters_count(fixture.store, on_count, &c);
	store_fixture_run(&fixture);
	cr_assert(eq(int, c.err, ERR_MALFORMED));
}
