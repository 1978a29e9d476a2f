#include "store/leases.h"

#include "tests/unit/store/fixture_pending.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TTL_MS = 60000, LONG_MS = 60000 };

#define A "AAcAAAAAaaaaaaa="
#define B "AAcAAAAAbbbbbbb="

TestSuite(edges, .init = store_fixture_init, .fini = store_fixture_fini, .timeout = 60);

static void on_taken(void *arg, enum err e, uint16_t number)
{
	(void)number;
	on_done(arg, e);
}

static enum err take(const char *boot)
{
	struct done d = {.fixture = &fixture};

	store_lease_acquire(fixture.store, boot, 7, TTL_MS, true, on_taken, &d);
	return store_fixture_wait(&d);
}

static enum err renew(const char *boot)
{
	struct done d = {.fixture = &fixture};

	store_lease_renew(fixture.store, 7, boot, TTL_MS, on_done, &d);
	return store_fixture_wait(&d);
}

static enum err forget(void)
{
	struct done d = {.fixture = &fixture};

	store_edge_forget(fixture.store, 7, on_done, &d);
	return store_fixture_wait(&d);
}

/* What the clock would do. */
static void lapse(void)
{
	store_fixture_redis(&fixture, "DEL t:{e7}:lease");
}

static char ids[10000][32];

static enum err put(const char *boot, size_t n)
{
	static struct connection_row rows[10000];
	struct done d = {.fixture = &fixture};

	for (size_t i = 0; i < n; i++) {
		snprintf(ids[i], sizeof ids[i], "AAcAAAAA%07zu=", i);
		rows[i] = pending_one(ids[i]).row;
		rows[i].connected_at_ms = 1795343464512;
		rows[i].user_agent = span_str("Mozilla/5.0 (X11; Linux x86_64)");
	}
	store_connection_put_many(fixture.store, 7, boot, rows, n, on_done, &d);
	return store_fixture_wait(&d);
}

struct reaped {
	enum err err;
	int64_t n, left;
	bool first, was_boot_a;
};

static void on_reap(void *arg, enum err e, const struct edge_reaped *r)
{
	cr_assert(eq(int, e == OK, r != NULL));
	*(struct reaped *)arg = (struct reaped){.err = e};
	if (r != NULL)
		*(struct reaped *)arg = (struct reaped){e, r->n, r->left, r->first,
							span_is(r->boot, "boot-a")};
	loop_stop(fixture.loop);
}

static struct reaped reap(int most)
{
	struct reaped r = {.err = ERR_AGAIN};

	store_edge_reap(fixture.store, 7, most, "its \"edge\" died", on_reap, &r);
	store_fixture_run(&fixture);
	return r;
}

struct looked {
	enum err err;
	struct edge_state s;
	char synced[16], boot[16];
};

static void on_look(void *arg, enum err e, const struct edge_state *s)
{
	struct looked *l = arg;

	l->err = e;
	cr_assert(eq(int, e == OK, s != NULL));
	if (s != NULL) {
		l->s = *s;
		snprintf(l->synced, sizeof l->synced, "%.*s", SPAN_ARG(s->synced));
		snprintf(l->boot, sizeof l->boot, "%.*s", SPAN_ARG(s->boot));
	}
	loop_stop(fixture.loop);
}

static struct looked look(void)
{
	struct looked l = {.err = ERR_AGAIN};

	store_edge_get(fixture.store, 7, on_look, &l);
	store_fixture_run(&fixture);
	return l;
}

static int64_t now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

Test(edges, that_nobody_knows_have_nothing)
{
	struct looked l = look();

	cr_assert(eq(int, l.err, OK));
	cr_assert(not(l.s.held));
	cr_assert(eq(i64, l.s.rows, 0));
	cr_assert(eq(i64, l.s.pending, 0));
	cr_assert(not(l.s.due));
	cr_assert(eq(str, l.synced, ""));
	cr_assert(eq(str, l.boot, ""));
	cr_assert(not(l.s.given_up));
}

Test(edges, show_whose_they_are_and_whether_that_is_over)
{
	struct looked l;

	take("boot-a");
	l = look();
	cr_assert(eq(str, l.boot, "boot-a"));
	cr_assert(not(l.s.given_up));
	put("boot-a", 1);
	lapse();
	cr_assert(reap(10).was_boot_a);
	cr_assert(reap(10).was_boot_a);
	l = look();
	cr_assert(eq(str, l.boot, "boot-a"));
	cr_assert(l.s.given_up);
}

Test(edges, show_how_they_stand)
{
	struct disconnect d = pending_one(A), e = pending_one(B);
	struct done done = {.fixture = &fixture};
	struct looked l;

	take("boot-a");
	put("boot-a", 3);
	pending_begin(&fixture, &d, LONG_MS);
	store_edge_synced(fixture.store, 7, "x1", on_done, &done);
	cr_assert(eq(int, store_fixture_wait(&done), OK));
	l = look();
	cr_assert(l.s.held);
	cr_assert(eq(i64, l.s.rows, 3));
	cr_assert(eq(i64, l.s.pending, 1));
	cr_assert(not(l.s.due));
	cr_assert(eq(str, l.synced, "x1"));

	lapse();
	pending_begin(&fixture, &e, 0);
	l = look();
	cr_assert(not(l.s.held));
	cr_assert(eq(i64, l.s.pending, 2));
	cr_assert(l.s.due);
}

Test(edges, that_are_held_are_not_reaped)
{
	take("boot-a");
	put("boot-a", 3);
	cr_assert(eq(int, reap(10).err, ERR_DENIED));
	cr_assert(eq(i64, look().s.rows, 3));
	cr_assert(eq(int, renew("boot-a"), OK));
}

Test(edges, reaped_rows_are_pending_as_1006_with_all_they_had_and_the_time_of_the_reaping)
{
	int64_t before = now_ms(CLOCK_REALTIME);
	struct pending_list l;
	struct reaped r;

	put("boot-a", 1);
	r = reap(10);
	cr_assert(eq(int, r.err, OK));
	cr_assert(eq(i64, r.n, 1));
	cr_assert(eq(i64, r.left, 0));
	l = pending_claim(&fixture, 10, LONG_MS);
	cr_assert(eq(sz, l.n, 1));
	cr_assert(eq(str, l.of[0].id, ids[0]));
	cr_assert(eq(u16, l.of[0].code, 1006));
	cr_assert(eq(str, l.of[0].reason, "its \"edge\" died"));
	cr_assert(eq(int, l.of[0].tries, 0));
	cr_assert(eq(i64, l.of[0].connected_at_ms, 1795343464512));
	cr_assert(eq(str, l.of[0].stage, "dev"));
	cr_assert(eq(int, memcmp(l.of[0].context, "a\0b", 3), 0));
	cr_assert(ge(i64, l.of[0].time_ms, before));
	cr_assert(le(i64, l.of[0].time_ms, now_ms(CLOCK_REALTIME)));
}

Test(edges, are_reaped_in_batches_of_at_most_as_many_as_asked_for)
{
	int64_t left = 300;

	put("boot-a", 300);
	while (left > 0) {
		struct reaped r = reap(70);

		cr_assert(eq(int, r.err, OK));
		cr_assert(eq(i64, r.n, left < 70 ? left : 70));
		cr_assert(eq(i64, r.left, left - r.n));
		left = r.left;
	}
	cr_assert(eq(i64, look().s.pending, 300));
	cr_assert(look().s.due);
	cr_assert(eq(i64, reap(70).n, 0));
}

Test(edges, small_rows_that_redis_gives_all_at_once_are_reaped_in_batches_too)
{
	for (int i = 0; i < 20; i++)
		store_fixture_redis(&fixture,
				    "HSET t:{e7}:connections id%d {\"connectedAt\":%d}",
				    i, i);
	cr_assert(eq(i64, reap(15).n, 15));
	cr_assert(eq(i64, reap(15).n, 5));
	cr_assert(eq(sz, pending_claim(&fixture, 30, LONG_MS).n, 20));
}

Test(edges, that_are_reaped_are_fenced_from_the_first_batch_on)
{
	take("boot-a");
	put("boot-a", 20);
	lapse();
	cr_assert(eq(i64, reap(1).left, 19));
	cr_assert(eq(int, renew("boot-a"), ERR_NOTFOUND));
	cr_assert(eq(int, take("boot-a"), ERR_DENIED));
	cr_assert(eq(int, put("boot-a", 21), ERR_DENIED));
	cr_assert(eq(i64, look().s.rows, 19));
	cr_assert(eq(int, take("boot-b"), ERR_DENIED));
	cr_assert(eq(i64, reap(100).left, 0));
	cr_assert(eq(int, take("boot-a"), ERR_DENIED));
	cr_assert(eq(int, take("boot-b"), OK));
	cr_assert(eq(int, renew("boot-a"), ERR_DENIED));
	cr_assert(eq(int, put("boot-a", 1), ERR_DENIED));
	cr_assert(eq(int, put("boot-b", 1), OK));
}

Test(edges, whose_owner_redis_has_lost_are_fenced_too)
{
	put("boot-a", 2);
	cr_assert(eq(i64, reap(1).left, 1));
	cr_assert(eq(int, renew("boot-a"), ERR_NOTFOUND));
	cr_assert(eq(int, put("boot-a", 2), ERR_DENIED));
	cr_assert(eq(i64, reap(1).left, 0));
}

Test(edges, reaping_leaves_what_was_begun_before_as_it_is)
{
	struct disconnect d = pending_one("AAcAAAAA0000000=");
	char pending[200];

	pending_begin(&fixture, &d, LONG_MS);
	snprintf(pending, sizeof pending, "%s",
		 store_fixture_redis(&fixture,
				     "HGET t:{e7}:disconnects AAcAAAAA0000000="));
	store_fixture_redis(
		&fixture, "HSET t:{e7}:connections AAcAAAAA0000000= {\"connectedAt\":1}");
	cr_assert(eq(i64, reap(10).left, 0));
	cr_assert(eq(str,
		     (char *)store_fixture_redis(
			     &fixture, "HGET t:{e7}:disconnects AAcAAAAA0000000="),
		     pending));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 0));
}

Test(edges, reaping_of_a_row_of_another_hand_does_not_stop_at_it)
{
	put("boot-a", 3);
	store_fixture_redis(&fixture, "HSET t:{e7}:connections %s nonsense", ids[1]);
	cr_assert(eq(i64, reap(10).left, 0));
	cr_assert(eq(sz, pending_claim(&fixture, 10, LONG_MS).n, 3));
}

Test(edges, of_all_calls_that_reap_one_death_one_is_the_first)
{
	take("boot-a");
	put("boot-a", 20);
	cr_assert(not(reap(10).first)); /* it is held */
	lapse();
	cr_assert(reap(10).first);
	cr_assert(not(reap(10).first));
	cr_assert(not(reap(10).first));
	take("boot-b");
	put("boot-b", 1);
	lapse();
	cr_assert(reap(10).first);
}

Test(edges, with_pending_disconnects_are_not_forgotten_until_all_is_settled)
{
	struct done d = {.fixture = &fixture};

	take("boot-a");
	put("boot-a", 1);
	store_edge_synced(fixture.store, 7, "x1", on_done, &d);
	store_fixture_wait(&d);
	cr_assert(eq(int, forget(), ERR_DENIED));
	lapse();
	cr_assert(eq(int, forget(), ERR_DENIED));
	reap(10);
	cr_assert(eq(int, forget(), ERR_DENIED));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "PTTL t:{e7}:owner"),
		     "-1"));
	store_disconnect_end(fixture.store, 7, span_str(ids[0]), on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
	cr_assert(eq(int, forget(), OK));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "GET t:{e7}:owner"),
		     "reaped:boot-a"));
	cr_assert(
		gt(int, atoi(store_fixture_redis(&fixture, "TTL t:{e7}:owner")), 80000));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "DBSIZE"), "1"));
}

/* What Redis has spent in scripts, by its own account: how busy the machine is does not count. */
static int64_t scripts_us(void)
{
	const char *stats = store_fixture_redis(&fixture, "INFO commandstats"), *of;
	int64_t all = 0;

	for (of = stats; (of = strstr(of, "cmdstat_eval")) != NULL; of++)
		all += atoll(strstr(of, "usec=") + strlen("usec="));
	return all;
}

Test(edges, of_10000_rows_are_reaped_in_300_ms_of_redis)
{
	int64_t before, took;
	struct reaped r;
	int batches = 0;

	cr_assert(eq(int, put("boot-a", 10000), OK));
	before = scripts_us();
	do {
		r = reap(500);
		cr_assert(eq(int, r.err, OK));
		batches++;
	} while (r.left > 0);
	took = scripts_us() - before;
	cr_log_info("10,000 rows were reaped in %d us of Redis", (int)took);
	cr_assert(eq(int, batches, 20));
	cr_assert(eq(i64, look().s.pending, 10000));
	cr_assert(gt(i64, took, 0), "the figure was found");
	cr_assert(lt(i64, took, 300000));
}

Test(edges, key_of_another_type_is_malformed)
{
	store_fixture_redis(&fixture, "SET t:{e7}:connections text");
	cr_assert(eq(int, look().err, ERR_MALFORMED));
	cr_assert(eq(int, reap(10).err, ERR_MALFORMED));
	cr_assert(eq(int, forget(), ERR_DENIED));
}
