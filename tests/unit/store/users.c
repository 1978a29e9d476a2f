#include "store/users.h"

#include "store/connections.h"
#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(users, .init = store_fixture_init, .fini = store_fixture_fini, .timeout = 60);

struct ids {
	enum err err;
	size_t n;
	uint64_t next;
	char last[20];
};

static void on_ids(void *arg, enum err e, const struct span *ids, size_t n, uint64_t next)
{
	struct ids *i = arg;

	i->err = e;
	i->n += n;
	i->next = next;
	if (n > 0)
		snprintf(i->last, sizeof i->last, "%.*s", SPAN_ARG(ids[n - 1]));
	loop_stop(fixture.loop);
}

static struct ids scan(const char *user)
{
	struct ids i = {0};

	do {
		store_user_scan(fixture.store, span_str(user), i.next, on_ids, &i);
		store_fixture_run(&fixture);
		cr_assert(eq(int, i.err, OK));
	} while (i.next != 0);
	return i;
}

static enum err put(const char *user, size_t first, size_t n)
{
	struct done d = {.fixture = &fixture};
	struct connection_row *rows = calloc(n, sizeof *rows);
	char(*ids)[17] = calloc(n, sizeof *ids);

	for (size_t i = 0; i < n; i++) {
		snprintf(ids[i], sizeof ids[i], "AAc%012zu=", first + i);
		rows[i] = (struct connection_row){.id = span_str(ids[i]),
						  .edge = 7,
						  .stage = span_str("dev"),
						  .user = span_str(user)};
	}
	store_connection_put_many(fixture.store, 7, "boot-a", rows, n, on_done, &d);
	free(rows);
	free(ids);
	return store_fixture_wait(&d);
}

Test(users, a_row_of_a_user_is_one_of_the_users_connections)
{
	struct ids i;

	cr_assert(eq(int, put("u1", 1, 1), OK));
	cr_assert(eq(int, put("u2", 2, 1), OK));
	cr_assert(eq(int, put("", 3, 1), OK));
	i = scan("u1");
	cr_expect(eq(sz, i.n, 1));
	cr_expect(eq(str, i.last, "AAc000000000001="));
	cr_expect(zero(sz, scan("u3").n));
	cr_expect(eq(str,
		     (char *)store_fixture_redis(&fixture, "HLEN t:{e7}:connections"),
		     "3"));
}

Test(users, a_user_of_more_than_255_bytes_is_not_kept)
{
	char user[257] = {0};

	memset(user, 'u', 256);
	cr_assert(eq(int, put(user, 1, 1), OK));
	cr_expect(not(users_may_be(span_str(user)) || users_may_be(span_str(""))));
	cr_expect(users_may_be(span_of(user, 255)));
}

Test(users, the_last_connection_that_is_removed_takes_the_key_with_it)
{
	struct done d = {.fixture = &fixture};

	cr_assert(eq(int, put("e7", 1, 1), OK));
	cr_expect(
		eq(str, (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:ids"), "1"));
	store_user_remove(fixture.store, span_str("e7"), span_str("AAc000000000001="),
			  on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
	cr_expect(
		eq(str, (char *)store_fixture_redis(&fixture, "EXISTS t:{e7}:ids"), "0"));
	store_user_remove(fixture.store, span_str("e7"), span_str("x"), on_done, &d);
	cr_expect(eq(int, store_fixture_wait(&d), OK), "also when it was not there");
}

Test(users, many_connections_come_in_several_answers)
{
	cr_assert(eq(int, put("bot", 0, 3000), OK));
	cr_expect(ge(sz, scan("bot").n, 3000));
}

Test(users, a_row_that_is_refused_is_an_error_with_its_user_too)
{
	store_fixture_redis(&fixture, "SET t:{e7}:owner boot-b");
	cr_expect(eq(int, put("u1", 1, 1), ERR_DENIED));
}
