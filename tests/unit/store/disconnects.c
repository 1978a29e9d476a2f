#include "store/disconnects.h"

#include "store/leases.h"
#include "tests/unit/store/fixture_pending.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONG_MS = 60000, SHORT_MS = 80 };

#define A "AAcAAAAAaaaaaaa="
#define B "AAcAAAAAbbbbbbb="

TestSuite(disconnects, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

static struct pending begin(const char *id, int64_t claim_ms)
{
	struct disconnect d = pending_one(id);

	return pending_begin(&fixture, &d, claim_ms);
}

static enum err end(const char *id)
{
	struct done d = {.fixture = &fixture};

	store_disconnect_end(fixture.store, 7, span_str(id), on_done, &d);
	return store_fixture_wait(&d);
}

static enum err later(const struct disconnect *what, int64_t wait_ms)
{
	struct done d = {.fixture = &fixture};

	store_disconnect_postpone(fixture.store, what, wait_ms, on_done, &d);
	return store_fixture_wait(&d);
}

static enum err hold(const char *a, const char *b, int64_t claim_ms)
{
	struct done d = {.fixture = &fixture};

	store_disconnect_renew(fixture.store, 7,
			       (struct span[]){span_str(a), span_str(b)}, 2, claim_ms,
			       on_done, &d);
	return store_fixture_wait(&d);
}

/* Begun by a broker that died: its claim is over. */
static void owe(const char *id)
{
	cr_assert(eq(int, begin(id, 0).err, OK));
}

Test(disconnects, that_is_begun_takes_the_row_out_of_the_table_and_is_pending)
{
	struct pending o;

	store_fixture_redis(&fixture, "HSET t:{e7}:connections " A " {}");
	o = begin(A, LONG_MS);
	cr_assert(eq(int, o.err, OK));
	cr_assert(eq(str, o.id, A));
	cr_assert(eq(u16, o.edge, 7));
	cr_assert(eq(u16, o.code, 1000));
	cr_assert(eq(i64, o.time_ms, 5000));
	cr_assert(eq(i64, o.connected_at_ms, 4000));
	cr_assert(eq(str, o.reason, "bye"));
	cr_assert(eq(str, o.stage, "dev"));
	cr_assert(eq(int, memcmp(o.context, "a\0b", 3), 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:connections"),
		     "0"));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "HLEN t:{e7}:disconnects"),
		     "1"));
}

Test(disconnects, that_is_begun_twice_has_the_first_ones_content)
{
	struct disconnect second = pending_one(A);
	struct pending o;

	owe(A);
	second.code = 1006;
	second.time_ms = 9000;
	second.reason = span_str("another");
	o = pending_begin(&fixture, &second, LONG_MS);
	cr_assert(eq(int, o.err, OK));
	cr_assert(eq(u16, o.code, 1000));
	cr_assert(eq(i64, o.time_ms, 5000));
	cr_assert(eq(str, o.reason, "bye"));
}

Test(disconnects, that_is_begun_twice_while_it_is_claimed_leaves_nothing_to_do)
{
	begin(A, LONG_MS);
	store_fixture_redis(&fixture, "HSET t:{e7}:connections " A " {}");
	cr_assert(eq(int, begin(A, LONG_MS).err, ERR_CLAIMED));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:connections"),
		     "0"));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "HLEN t:{e7}:disconnects"),
		     "1"));
}

Test(disconnects, that_is_begun_is_not_claimed_until_its_claim_is_over)
{
	struct pending_list l;

	begin(A, LONG_MS);
	begin(B, SHORT_MS);
	pending_wait(&fixture, SHORT_MS + 20);
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(str, l.of[0].id, B));
}

Test(disconnects, that_is_claimed_is_not_given_to_another_until_its_claim_is_over)
{
	struct pending_list l;

	owe(A);
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(int, l.err, OK));
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(str, l.of[0].id, A));
	cr_assert(eq(u16, l.of[0].edge, 7));
	owe(B);
	cr_assert(eq(str, pending_claim(&fixture, 10, SHORT_MS).of[0].id, B));
	pending_wait(&fixture, SHORT_MS + 20);
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(str, l.of[0].id, B));
}

Test(disconnects, are_claimed_a_few_at_a_time_the_oldest_first)
{
	char id[32];

	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof id, "AAcAAAAA%07d=", i);
		owe(id);
		store_fixture_redis(&fixture, "ZADD t:{e7}:due %d %s", 100 - i, id);
	}
	cr_assert(eq(str, pending_claim(&fixture, 2, LONG_MS).of[0].id,
		     "AAcAAAAA0000004="));
	cr_assert(eq(sz, pending_claim(&fixture, 2, LONG_MS).n, 2));
	cr_assert(eq(sz, pending_claim(&fixture, 2, LONG_MS).n, 1));
	cr_assert(eq(sz, pending_claim(&fixture, 2, LONG_MS).n, 0));
}

Test(disconnects, that_are_held_stay_claimed_and_those_that_ended_stay_away)
{
	owe(A);
	pending_claim(&fixture, 10, SHORT_MS);
	cr_assert(eq(int, hold(A, B, LONG_MS), OK));
	pending_wait(&fixture, SHORT_MS + 20);
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 0));
	cr_assert(
		eq(str, (char *)store_fixture_redis(&fixture, "ZCARD t:{e7}:due"), "1"));
}

Test(disconnects, that_ended_are_pending_no_more_and_leave_no_key)
{
	owe(A);
	cr_assert(eq(int, end(A), OK));
	cr_assert(eq(int, end(A), ERR_NOTFOUND));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture,
						 "EXISTS t:{e7}:disconnects t:{e7}:due"),
		     "0"));
}

Test(disconnects, that_failed_are_due_in_a_while_with_their_tries_and_why)
{
	struct disconnect d = pending_one(A), other = pending_one(B);
	struct pending_list l;

	owe(A);
	owe(B);
	d.tries = 3;
	d.error = span_str("status 500");
	cr_assert(eq(int, later(&d, SHORT_MS), OK));
	cr_assert(eq(int, later(&other, LONG_MS), OK));
	pending_wait(&fixture, SHORT_MS + 20);
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(int, l.of[0].tries, 3));
	cr_assert(eq(str, l.of[0].error, "status 500"));
	cr_assert(eq(i64, l.of[0].time_ms, 5000));
}

Test(disconnects,
     that_redis_forgot_are_pending_again_when_they_failed_and_their_edge_is_known)
{
	struct disconnect d = pending_one(A);

	owe(A);
	store_fixture_redis(&fixture, "FLUSHALL");
	cr_assert(eq(int, later(&d, 0), OK));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 1));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(&fixture, "SISMEMBER t:{m}:edges 7"),
		     "1"));
}

static enum err park(const struct disconnect *what)
{
	struct done d = {.fixture = &fixture};

	store_dead_letter_add(fixture.store, what, 10, on_done, &d);
	return store_fixture_wait(&d);
}

Test(disconnects,
     of_another_hand_are_claimed_as_broken_ones_and_made_dead_letters_as_they_are)
{
	struct disconnect broken = {.row = {.id = span_str("x1"), .edge = 7},
				    .is_broken = true,
				    .raw = span_str("nonsense")};
	struct pending_list l;

	store_fixture_redis(&fixture, "HSET t:{e7}:disconnects x1 nonsense x2 {}");
	store_fixture_redis(&fixture, "ZADD t:{e7}:due 1 x1 2 x2 3 gone");
	owe(A);
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(int, l.err, OK));
	cr_assert(eq(sz, l.n, 3));
	cr_assert(l.of[0].is_broken && l.of[1].is_broken && !l.of[2].is_broken);
	cr_assert(eq(str, l.of[0].id, "x1"));
	cr_assert(eq(str, l.of[0].raw, "nonsense"));
	cr_assert(eq(str, l.of[2].id, A));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "ZSCORE t:{e7}:due gone"),
		     "(nil)"));

	cr_assert(eq(int, park(&broken), OK));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "HGET t:{m}:parked x1"),
		     "nonsense"));
	cr_assert(
		eq(str,
		   (char *)store_fixture_redis(&fixture, "HEXISTS t:{e7}:disconnects x1"),
		   "0"));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "ZSCORE t:{e7}:due x1"),
		     "(nil)"));
}

Test(disconnects, that_nobody_could_read_are_begun_anew)
{
	static const char *const broken[] = {"nonsense", "7", "{}", "{\"row\":7}"};

	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		store_fixture_redis(&fixture, "HSET t:{e7}:disconnects " A " %s",
				    broken[i]);
		cr_assert(eq(int, begin(A, LONG_MS).err, OK), "%s", broken[i]);
	}
}

Test(disconnects, key_of_another_type_is_malformed_for_every_question)
{
	struct disconnect d = pending_one(A);

	store_fixture_redis(&fixture, "SET t:{e7}:disconnects text");
	store_fixture_redis(&fixture, "SET t:{e7}:due text");
	cr_assert(eq(int, begin(A, LONG_MS).err, ERR_MALFORMED));
	cr_assert(eq(int, pending_claim(&fixture, 10, LONG_MS).err, ERR_MALFORMED));
	cr_assert(eq(int, hold(A, B, LONG_MS), ERR_MALFORMED));
	cr_assert(eq(int, end(A), ERR_MALFORMED));
	cr_assert(eq(int, later(&d, 0), ERR_MALFORMED));
}

Test(disconnects, are_down_in_time_when_redis_freezes)
{
	redis_server_freeze(&fixture.server);
	cr_assert(eq(int, begin(A, LONG_MS).err, ERR_DOWN));
	cr_assert(eq(int, pending_claim(&fixture, 10, LONG_MS).err, ERR_DOWN));
	cr_assert(eq(int, end(A), ERR_DOWN));
	redis_server_thaw(&fixture.server);
}

static void never(void *arg, enum err e, const struct disconnect *d)
{
	(void)arg;
	(void)e;
	(void)d;
	cr_fatal("called after store_free");
}

Test(disconnects, questions_in_flight_go_with_the_store)
{
	struct disconnect d = pending_one(A);

	store_disconnect_begin(fixture.store, &d, LONG_MS, never, NULL);
	store_free(fixture.store);
	fixture.store = NULL;
}

static void on_reaped(void *arg, enum err e, const struct edge_reaped *r)
{
	on_done(arg, r != NULL && r->n != 1 ? ERR_NOTFOUND : e);
}

/* They make room: who leaves a full Redis must not have to wait until it is not full. */
Test(disconnects, are_begun_claimed_put_off_and_ended_while_redis_is_full)
{
	struct disconnect d = pending_one(A);
	struct done reaped = {.fixture = &fixture};

	store_fixture_redis(&fixture,
			    "HSET t:{e8}:connections " B " {\"connectedAt\":4000}");
	store_fixture_redis(&fixture, "CONFIG SET maxmemory 1");
	cr_assert(eq(int, begin(A, 0).err, OK));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 1));
	cr_assert(eq(int, hold(A, A, LONG_MS), OK));
	cr_assert(eq(int, later(&d, LONG_MS), OK));
	cr_assert(eq(int, end(A), OK));
	store_edge_reap(fixture.store, 8, 10, "gone", on_reaped, &reaped);
	cr_assert(eq(int, store_fixture_wait(&reaped), OK));
}
