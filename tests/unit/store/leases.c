#include "store/leases.h"

#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { TTL_MS = 60000 };

TestSuite(leases, .init = store_fixture_init, .fini = store_fixture_fini, .timeout = 60);

struct taken {
	int calls;
	enum err err;
	uint16_t number;
};

static void on_taken(void *arg, enum err e, uint16_t number)
{
	struct taken *t = arg;

	*t = (struct taken){t->calls + 1, e, number};
	cr_assert(eq(int, e == OK, number != 0));
	loop_stop(fixture.loop);
}

static struct taken take_for(const char *boot, uint16_t wanted, int64_t ttl_ms)
{
	struct taken t = {0};

	store_lease_acquire(fixture.store, boot, wanted, ttl_ms, true, on_taken, &t);
	store_fixture_run(&fixture);
	cr_assert(eq(int, t.calls, 1));
	return t;
}

static enum err take(const char *boot, uint16_t wanted)
{
	return take_for(boot, wanted, TTL_MS).err;
}

static enum err renew(const char *boot, uint16_t number)
{
	struct done d = {.fixture = &fixture};

	store_lease_renew(fixture.store, number, boot, TTL_MS, on_done, &d);
	return store_fixture_wait(&d);
}

static enum err forget(uint16_t number)
{
	struct done d = {.fixture = &fixture};

	store_edge_forget(fixture.store, number, on_done, &d);
	return store_fixture_wait(&d);
}

static const char *holder(uint16_t number)
{
	return store_fixture_redis(&fixture, "GET t:{e%u}:lease", number);
}

struct listed {
	char text[64]; /* "3 7 11 " */
};

static void on_edges(void *arg, enum err e, const uint16_t *numbers, size_t n)
{
	struct listed *l = arg;
	size_t at = 0;

	cr_assert(eq(int, e, OK));
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(l->text + at, sizeof l->text - at, "%u ",
				       numbers[i]);
	loop_stop(fixture.loop);
}

static struct listed edges(void)
{
	struct listed l = {""};

	store_edges_list(fixture.store, on_edges, &l);
	store_fixture_run(&fixture);
	return l;
}

/* What the clock would do. */
static void lapse(uint16_t number)
{
	store_fixture_redis(&fixture, "DEL t:{e%u}:lease", number);
}

static void put_a_row(uint16_t number)
{
	store_fixture_redis(&fixture, "HSET t:{e%u}:connections id {}", number);
}

Test(leases, any_number_is_from_1_on_and_another_for_each_boot)
{
	struct taken a = take_for("boot-a", 0, TTL_MS), b = take_for("boot-b", 0, TTL_MS);

	cr_assert(eq(int, a.err, OK));
	cr_assert(eq(int, b.err, OK));
	cr_assert(ne(u16, a.number, b.number));
	cr_assert(eq(str, (char *)holder(a.number), "boot-a"));
	cr_assert(eq(str, (char *)holder(b.number), "boot-b"));
}

Test(leases, one_boot_has_one_number_whoever_asks_for_it)
{
	struct taken a = {0}, b = {0};

	store_lease_acquire(fixture.store, "boot-a", 0, TTL_MS, false, on_taken, &a);
	store_lease_acquire(fixture.store, "boot-a", 0, TTL_MS, false, on_taken, &b);
	while (a.calls == 0 || b.calls == 0)
		store_fixture_run(&fixture);
	cr_assert(eq(u16, a.number, b.number));
}

Test(leases, any_number_ignores_those_that_are_held_or_have_rows)
{
	struct taken first = take_for("boot-a", 0, TTL_MS), second, third;

	lapse(first.number);
	cr_assert(eq(int, take("boot-b", first.number), OK));
	second = take_for("boot-a", 0, TTL_MS);
	cr_assert(eq(int, second.err, OK));
	cr_assert(ne(u16, second.number, first.number));

	lapse(second.number);
	store_fixture_redis(&fixture, "SET t:{e%u}:owner boot-c", second.number);
	put_a_row(second.number);
	third = take_for("boot-a", 0, TTL_MS);
	cr_assert(eq(int, third.err, OK));
	cr_assert(ne(u16, third.number, first.number));
	cr_assert(ne(u16, third.number, second.number));
}

Test(leases, wanted_number_is_given_and_denied_to_another)
{
	cr_assert(eq(int, take("boot-a", 65535), OK));
	cr_assert(eq(int, take("boot-a", 65535), OK));
	cr_assert(eq(int, take("boot-b", 65535), ERR_DENIED));
}

Test(leases, end_after_their_time)
{
	char ttl[24];

	cr_assert(eq(int, take_for("boot-a", 7, 5000).err, OK));
	snprintf(ttl, sizeof ttl, "%s",
		 store_fixture_redis(&fixture, "PTTL t:{e7}:lease"));
	cr_assert(le(int, atoi(ttl), 5000));
	cr_assert(gt(int, atoi(ttl), 1000));
	cr_assert(eq(int, renew("boot-a", 7), OK));
	snprintf(ttl, sizeof ttl, "%s",
		 store_fixture_redis(&fixture, "PTTL t:{e7}:lease"));
	cr_assert(gt(int, atoi(ttl), 5000));
}

Test(leases, expired_number_with_rows_is_given_to_its_last_holder_alone)
{
	cr_assert(eq(int, take("boot-a", 7), OK));
	put_a_row(7);
	lapse(7);
	cr_assert(eq(str, (char *)holder(7), "(nil)"));
	cr_assert(eq(int, take("boot-b", 7), ERR_DENIED));
	cr_assert(eq(int, take("boot-a", 7), OK));
}

Test(leases, expired_number_without_rows_is_given_to_anybody)
{
	cr_assert(eq(int, take("boot-a", 7), OK));
	lapse(7);
	cr_assert(eq(int, take("boot-b", 7), OK));
	cr_assert(eq(int, renew("boot-a", 7), ERR_DENIED));
	lapse(7);
	cr_assert(eq(int, renew("boot-a", 7), ERR_DENIED));
}

Test(leases, expired_number_is_held_again_by_a_renewal)
{
	cr_assert(eq(int, take("boot-a", 7), OK));
	put_a_row(7);
	lapse(7);
	cr_assert(eq(int, renew("boot-a", 7), OK));
	cr_assert(eq(str, (char *)holder(7), "boot-a"));
}

Test(leases, forgotten_number_is_never_its_boots_again_but_another_can_take_it)
{
	cr_assert(eq(int, take("boot-a", 7), OK));
	lapse(7);
	cr_assert(eq(int, forget(7), OK));
	cr_assert(eq(int, renew("boot-a", 7), ERR_NOTFOUND));
	cr_assert(eq(int, forget(7), OK));
	cr_assert(eq(int, renew("boot-a", 7), ERR_NOTFOUND));
	cr_assert(eq(int, take("boot-a", 7), ERR_DENIED));
	cr_assert(eq(int, renew("boot-b", 7), ERR_DENIED));
	cr_assert(
		gt(int, atoi(store_fixture_redis(&fixture, "TTL t:{e7}:owner")), 80000));
	cr_assert(eq(int, take("boot-b", 7), OK));
	cr_assert(eq(int, renew("boot-b", 7), OK));
	cr_assert(eq(int, renew("boot-a", 7), ERR_DENIED));
	cr_assert(
		eq(str, (char *)store_fixture_redis(&fixture, "TTL t:{e7}:owner"), "-1"));
}

Test(leases, boot_whose_number_was_reaped_gets_another_one)
{
	struct taken first = take_for("boot-a", 0, TTL_MS), second;

	lapse(first.number);
	cr_assert(eq(int, forget(first.number), OK));
	second = take_for("boot-a", 0, TTL_MS);
	cr_assert(eq(int, second.err, OK));
	cr_assert(ne(u16, second.number, first.number));
}

Test(leases, number_that_was_reaped_without_an_owner_is_nobodys_to_renew)
{
	store_fixture_redis(&fixture, "SET t:{e7}:owner reaped:");
	cr_assert(eq(int, renew("boot-a", 7), ERR_NOTFOUND));
	cr_assert(eq(int, take("boot-a", 7), OK));
	cr_assert(eq(int, renew("boot-a", 7), OK));
}

Test(leases,
     number_that_nobody_is_known_to_have_had_is_given_to_who_wants_it_only_when_sure)
{
	struct taken t = {0};

	store_lease_acquire(fixture.store, "boot-a", 7, TTL_MS, false, on_taken, &t);
	store_fixture_run(&fixture);
	cr_assert(eq(int, t.err, ERR_UNKNOWN));
	cr_assert(eq(
		str,
		(char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:lease t:{e7}:owner"),
		"0"));
	cr_assert(eq(int, take("boot-a", 7), OK));
	lapse(7);
	store_lease_acquire(fixture.store, "boot-a", 7, TTL_MS, false, on_taken, &t);
	store_fixture_run(&fixture);
	cr_assert(eq(int, t.err, OK));
}

static enum err fence(uint16_t number, const char *boot)
{
	struct done d = {.fixture = &fixture};

	store_edge_fence(fixture.store, number, boot, on_done, &d);
	return store_fixture_wait(&d);
}

Test(leases, number_that_a_new_memory_was_told_of_is_kept_from_its_boot_and_no_other)
{
	cr_assert(eq(int, fence(7, "boot-a"), OK));
	cr_assert(eq(int, take("boot-a", 7), ERR_DENIED));
	cr_assert(eq(int, renew("boot-a", 7), ERR_NOTFOUND));
	cr_assert(
		gt(int, atoi(store_fixture_redis(&fixture, "TTL t:{e7}:owner")), 80000));
	cr_assert(eq(int, take("boot-b", 7), OK));
	cr_assert(eq(int, fence(7, "boot-a"), OK));
	cr_assert(eq(int, renew("boot-b", 7), OK));
}

/* Redis was restored from a snapshot of before: it says that the boot has its number still. */
Test(leases, number_that_an_older_memory_gives_to_its_boot_is_taken_away_again)
{
	cr_assert(eq(int, take("boot-a", 7), OK));
	cr_assert(eq(int, fence(7, "boot-a"), OK));
	cr_assert(eq(int, take("boot-a", 7), ERR_DENIED));
	cr_assert(eq(int, renew("boot-a", 7), ERR_NOTFOUND));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:lease"),
		     "0"));
}

Test(leases, that_redis_has_lost_with_its_memory_are_renewed)
{
	cr_assert(eq(int, take("boot-a", 7), OK));
	store_fixture_redis(&fixture, "FLUSHALL");
	cr_assert(eq(int, renew("boot-a", 7), OK));
	cr_assert(eq(str, (char *)holder(7), "boot-a"));
	cr_assert(eq(str, edges().text, "7 "));
}

Test(leases, edges_are_listed_in_order_until_forgotten)
{
	cr_assert(eq(str, edges().text, ""));
	take("boot-a", 11);
	take("boot-b", 3);
	take("boot-c", 7);
	store_fixture_redis(&fixture, "SADD t:{m}:edges nonsense 0 65536");
	cr_assert(eq(str, edges().text, "3 7 11 "));
	lapse(7);
	cr_assert(eq(int, forget(7), OK));
	cr_assert(eq(str, edges().text, "3 11 "));
}

Test(leases, held_number_or_one_with_rows_is_not_forgotten)
{
	take("boot-a", 7);
	cr_assert(eq(int, forget(7), ERR_DENIED));
	put_a_row(7);
	lapse(7);
	cr_assert(eq(int, forget(7), ERR_DENIED));
	cr_assert(eq(str, edges().text, "7 "));
}

Test(leases, key_of_another_type_is_malformed_and_no_denial)
{
	store_fixture_redis(&fixture, "LPUSH t:{e7}:lease x");
	cr_assert(eq(int, take("boot-a", 7), ERR_MALFORMED));
	cr_assert(eq(int, renew("boot-a", 7), ERR_MALFORMED));
}

Test(leases, are_down_in_time_when_redis_freezes)
{
	redis_server_freeze(&fixture.server);
	cr_assert(eq(int, take("boot-a", 0), ERR_DOWN));
	cr_assert(eq(int, renew("boot-a", 7), ERR_DOWN));
	redis_server_thaw(&fixture.server);
}

/* A lease that lapsed because memory was full would cost each client of its edge the connection. */
Test(leases, one_that_is_held_is_kept_while_redis_is_full_and_no_new_one_is_given)
{
	cr_assert(eq(int, take_for("x1", 7, 2000).err, OK));
	store_fixture_redis(&fixture, "CONFIG SET maxmemory 1");
	cr_assert(eq(int, take("x2", 8), ERR_BUSY));
	cr_assert(eq(int, renew("x1", 7), OK));
	cr_assert(gt(int, atoi(store_fixture_redis(&fixture, "PTTL t:{e7}:lease")),
		     TTL_MS / 2));
}
