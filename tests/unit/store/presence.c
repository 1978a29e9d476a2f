#include "store/presence.h"

#include "store/leases.h"
#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(presence, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

/* Ids of edge 1 begin with "AAE" to "AAH", those of edge 2 with "AAI" to "AAL". */
#define C1 "AAEAAAAAAAAAAAA="
#define C2 "AAFAAAAAAAAAAAB="
#define C3 "AAHAAAAAAAAAAAC="
#define D1 "AAIAAAAAAAAAAAD="

struct answer {
	enum err err;
	char members[256]; /* "a b " */
	int64_t connections, users, due_ms;
	bool more;
	char next[32];
};

static void keep(struct answer *a, const struct span *members, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(a->members + at, sizeof a->members - at, "%.*s ",
				       SPAN_ARG(members[i]));
}

static void on_change(void *arg, enum err e, const struct presence_change *c)
{
	struct answer *a = arg;

	a->err = e;
	if (e == OK) {
		keep(a, c->members, c->n);
		a->connections = c->connections;
		a->users = c->users;
		a->due_ms = c->due_ms;
		a->more = c->more;
	}
	loop_stop(fixture.loop);
}

static void on_page(void *arg, enum err e, const struct presence_page *p)
{
	struct answer *a = arg;

	a->err = e;
	if (e == OK) {
		keep(a, p->members, p->n);
		a->connections = p->connections;
		a->users = p->users;
		snprintf(a->next, sizeof a->next, "%.*s", SPAN_ARG(p->next));
	}
	loop_stop(fixture.loop);
}

static const struct span room = {(const uint8_t *)"room:1", 6};

static struct answer join(uint16_t edge, const char *id, const char *user,
			  const char *json)
{
	struct presence_member m = {edge, span_str(id), span_str(user), span_str(json)};
	struct answer a = {0};

	store_presence_join(fixture.store, room, &m, on_change, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a;
}

static struct answer leave(uint16_t edge, const char *id, int64_t grace_ms)
{
	struct answer a = {0};

	store_presence_leave(fixture.store, room, edge, span_str(id), grace_ms, on_change,
			     &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a;
}

static struct answer expire(void)
{
	struct answer a = {0};

	store_presence_expire(fixture.store, room, on_change, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a;
}

static struct answer reap(uint16_t edge)
{
	struct answer a = {0};

	store_presence_reap(fixture.store, room, edge, on_change, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a;
}

static struct answer page(const char *after, int64_t most)
{
	struct answer a = {0};

	store_presence_read(fixture.store, room, span_str(after), most, on_page, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, OK));
	return a;
}

static void assert_change(struct answer a, const char *members, int64_t connections,
			  int64_t users)
{
	cr_assert(eq(str, a.members, (char *)(uintptr_t)members));
	cr_assert(eq(i64, a.connections, connections));
	cr_assert(eq(i64, a.users, users));
}

#define redis(...) ((char *)(uintptr_t)store_fixture_redis(&fixture, __VA_ARGS__))

Test(presence, counts_connections_and_users_and_anonymous_ones_are_no_users)
{
	assert_change(join(1, C1, "u1", "a"), "a ", 1, 1);
	assert_change(join(1, C2, "u1", "b"), "b ", 2, 1);
	assert_change(join(2, D1, "", "c"), "c ", 3, 1);
	assert_change(leave(1, C1, 0), "a ", 2, 1);
	assert_change(leave(1, C2, 0), "b ", 1, 0);
	assert_change(leave(2, D1, 0), "c ", 0, 0);
}

/* An event that is handled again, by another broker. */
Test(presence, a_second_join_or_leave_of_a_connection_changes_nothing)
{
	join(1, C1, "u1", "a");
	assert_change(join(1, C1, "u1", "a"), "", 1, 1);
	leave(1, C1, 0);
	assert_change(leave(1, C1, 0), "", 0, 0);
}

Test(presence, a_user_may_have_any_bytes)
{
	join(1, C1, "3:x:y", "a");
	join(1, C2, "\n", "b");
	assert_change(page("", 10), "a b ", 2, 2);
	assert_change(leave(1, C1, 0), "a ", 1, 1);
	assert_change(leave(1, C2, 0), "b ", 0, 0);
}

Test(presence, pages_are_in_the_order_of_ids_and_say_where_they_go_on)
{
	struct answer a;

	join(1, C3, "u3", "c");
	join(1, C1, "u1", "a");
	join(2, D1, "u4", "d");
	join(1, C2, "u2", "b");
	a = page("", 3);
	assert_change(a, "a b c ", 4, 4);
	cr_assert(eq(str, a.next, C3));
	a = page(a.next, 3);
	assert_change(a, "d ", 4, 4);
	cr_assert(eq(str, a.next, ""));
	assert_change(page("", 0), "", 4, 4);
	cr_assert(eq(str, page("", 4).next, ""));
}

/* ---- grace ---- */

Test(presence, who_is_back_within_the_grace_has_neither_left_nor_joined)
{
	struct answer a;

	join(1, C1, "u1", "a");
	a = leave(1, C1, 60000);
	assert_change(a, "", 1, 1);
	cr_assert(gt(i64, a.due_ms, INT64_C(1700000000000)));
	assert_change(join(2, D1, "u1", "d"), "", 1, 1);
	assert_change(page("", 10), "d ", 1, 1);
	assert_change(expire(), "", 1, 1);
}

Test(presence, the_same_connection_may_be_back_too)
{
	join(1, C1, "u1", "a");
	leave(1, C1, 60000);
	assert_change(join(1, C1, "u1", "a"), "", 1, 1);
	assert_change(expire(), "", 1, 1);
	cr_assert(eq(str, redis("EXISTS t:{room:1}:leaving"), "0"));
	cr_assert(eq(str, redis("EXISTS t:{room:1}:left"), "0"));
}

Test(presence, who_is_not_back_has_left_when_the_grace_is_over)
{
	struct answer a;

	join(1, C1, "u1", "a");
	join(1, C2, "u2", "b");
	leave(1, C1, 1);
	leave(1, C2, 60000);
	do /* the first millisecond may not be over */
		a = expire();
	while (a.connections == 2);
	assert_change(a, "a ", 1, 1);
	cr_assert(gt(i64, a.due_ms, 0));
	assert_change(join(1, C1, "u1", "a"), "a ", 2, 2);
}

Test(presence, anonymous_connections_have_no_grace)
{
	join(1, C1, "", "a");
	assert_change(leave(1, C1, 60000), "a ", 0, 0);
}

Test(presence, a_leave_that_is_told_again_does_not_prolong_the_grace)
{
	struct answer a;

	join(1, C1, "u1", "a");
	a = leave(1, C1, 1000);
	redis("ZADD t:{room:1}:leaving 1 " C1);
	leave(1, C1, 1000);
	assert_change(expire(), "a ", 0, 0);
	cr_assert(gt(i64, a.due_ms, 0));
}

struct claimed {
	size_t n;
	char channel[32], claim[32];
};

static void on_claimed(void *arg, enum err e, const struct presence_due *due, size_t n)
{
	struct claimed *c = arg;

	cr_assert(eq(int, e, OK));
	c->n = n;
	if (n > 0) {
		snprintf(c->channel, sizeof c->channel, "%.*s", SPAN_ARG(due->channel));
		snprintf(c->claim, sizeof c->claim, "%.*s", SPAN_ARG(due->claim));
	}
	loop_stop(fixture.loop);
}

static struct claimed claim(void)
{
	struct claimed c = {0};

	store_presence_claim(fixture.store, 60000, on_claimed, &c);
	store_fixture_run(&fixture);
	return c;
}

static void finish(const struct claimed *c, int64_t due_ms)
{
	struct presence_due due = {span_str(c->channel), span_str(c->claim)};
	struct done d = {.fixture = &fixture};

	store_presence_done(fixture.store, &due, due_ms, on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
}

static struct claimed claim_first(void)
{
	struct claimed c;

	join(1, C1, "u1", "a");
	leave(1, C1, 1);
	do
		c = claim();
	while (c.n == 0);
	cr_assert(eq(str, c.channel, "room:1"));
	return c;
}

Test(presence, a_channel_with_a_grace_that_is_over_is_claimed_by_one)
{
	struct claimed c = claim_first();

	cr_assert(eq(sz, claim().n, 0));
	finish(&c, 0);
	cr_assert(eq(str, redis("EXISTS t:{m}:presence-due"), "0"));
}

/* Between the expire and its end another leave came: it must not be forgotten. */
Test(presence, a_leave_while_a_channel_is_claimed_is_due_all_the_same)
{
	struct claimed c = claim_first();

	join(1, C2, "u2", "b");
	leave(1, C2, 120000); /* later than the claim ends */
	finish(&c, 0);
	cr_assert(eq(str, redis("EXISTS t:{m}:presence-due"), "1"));
}

Test(presence, a_claim_ends_with_the_time_of_the_next_grace)
{
	struct claimed c = claim_first();

	finish(&c, 1234567890123);
	cr_assert(eq(str, redis("ZSCORE t:{m}:presence-due room:1"), "1234567890123"));
}

/* ---- dead edges ---- */

Test(presence, a_grace_is_noted_before_it_begins)
{
	struct claimed c;

	join(1, C1, "u1", "a");
	redis("DEL t:{room:1}:members"); /* what is left when a broker dies behind the note */
	leave(1, C1, 1);
	do
		c = claim();
	while (c.n == 0);
	cr_assert(eq(str, c.channel, "room:1"));
}

Test(presence, connections_leave_while_redis_is_full)
{
	struct claimed c;
	struct answer a;

	join(1, C1, "u1", "a");
	join(1, C2, "u2", "b");
	join(1, C3, "", "c");
	redis("CONFIG SET maxmemory 1");
	assert_change(leave(1, C3, 1), "c ", 2, 2);
	leave(1, C2, 1);
	do
		c = claim();
	while (c.n == 0);
	do /* it was noted before the grace began */
		a = expire();
	while (a.connections == 2);
	assert_change(a, "b ", 1, 1);
	finish(&c, 1234567890123);
	assert_change(reap(1), "a ", 0, 0);
	cr_assert(eq(str, redis("ZSCORE t:{m}:presence-due room:1"), "1234567890123"));
}

Test(presence, the_members_of_a_dead_edge_leave_and_those_of_others_stay)
{
	struct answer a;

	join(1, C1, "u1", "a");
	join(1, C2, "u2", "b");
	join(1, C3, "", "c");
	join(2, D1, "u1", "d");
	a = reap(1);
	assert_change(a, "a b c ", 1, 1);
	cr_assert(not(a.more));
	assert_change(page("", 10), "d ", 1, 1);
	assert_change(reap(1), "", 1, 1);
}

struct names {
	char all[128];
};

static void on_names(void *arg, enum err e, const struct span *names, size_t n)
{
	struct names *to = arg;
	size_t at = 0;

	cr_assert(eq(int, e, OK));
	to->all[0] = '\0';
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(to->all + at, sizeof to->all - at, "%.*s ",
				       SPAN_ARG(names[i]));
	loop_stop(fixture.loop);
}

static struct names list(uint16_t edge)
{
	struct names n;

	store_presence_list(fixture.store, edge, 0, on_names, &n);
	store_fixture_run(&fixture);
	return n;
}

/* Edge 15 has ids that begin with "AA8" to "AA_": in the order of bytes "-" comes first. */
Test(presence, the_connections_of_one_edge_are_found_in_the_order_of_their_ids)
{
	struct names n;

	join(15, "AA8AAAAAAAAAAAB=", "", "{}");
	join(15, "AA-AAAAAAAAAAAA=", "", "{}");
	join(15, "AA_AAAAAAAAAAAC=", "", "{}");
	join(1, C1, "", "{}");
	store_presence_ids(fixture.store, room, 15, span_str(""), on_names, &n);
	store_fixture_run(&fixture);
	cr_assert(eq(str, n.all, "AA-AAAAAAAAAAAA= AA8AAAAAAAAAAAB= AA_AAAAAAAAAAAC= "));
	store_presence_ids(fixture.store, room, 15, span_str("AA8AAAAAAAAAAAB="),
			   on_names, &n);
	store_fixture_run(&fixture);
	cr_assert(eq(str, n.all, "AA_AAAAAAAAAAAC= "));
}

Test(presence, the_list_of_an_edge_has_its_channels_until_the_last_connection_leaves)
{
	join(1, C1, "u1", "a");
	join(1, C2, "u2", "b");
	join(2, D1, "u1", "d");
	cr_assert(eq(str, list(1).all, "room:1 "));
	leave(1, C1, 0);
	cr_assert(eq(str, list(1).all, "room:1 "));
	leave(1, C2, 0);
	list(2); /* behind the leave's own command */
	cr_assert(eq(str, list(1).all, ""));
	cr_assert(eq(str, list(2).all, "room:1 "));
}

Test(presence, a_channel_that_is_noted_again_is_not_taken_off_by_an_earlier_leave)
{
	char before[32], after[32];

	join(1, C1, "u1", "a");
	list(1); /* behind the second note of the join */
	snprintf(before, sizeof before, "%s", redis("ZSCORE t:{e1}:presence room:1"));
	join(1, C1, "u1", "a");
	list(1);
	snprintf(after, sizeof after, "%s", redis("ZSCORE t:{e1}:presence room:1"));
	cr_assert(gt(i64, atoll(after), atoll(before) + 1));
}

static void on_edge(void *arg, enum err e, const struct edge_state *s)
{
	bool *present = arg;

	cr_assert(eq(int, e, OK));
	*present = s->present;
	loop_stop(fixture.loop);
}

static void on_lease(void *arg, enum err e, uint16_t number)
{
	(void)number;
	*(enum err *)arg = e;
	loop_stop(fixture.loop);
}

Test(presence, a_number_with_presence_is_neither_forgotten_nor_another_boots)
{
	struct done d = {.fixture = &fixture};
	bool present = false;
	enum err e = OK;

	join(1, C1, "u1", "a");
	store_edge_get(fixture.store, 1, on_edge, &present);
	store_fixture_run(&fixture);
	cr_assert(present);
	store_edge_forget(fixture.store, 1, on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), ERR_DENIED));
	store_lease_acquire(fixture.store, "other", 1, 1000, true, on_lease, &e);
	store_fixture_run(&fixture);
	cr_assert(eq(int, e, ERR_DENIED));
	store_presence_unlist(fixture.store, 1, room, on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
	store_edge_forget(fixture.store, 1, on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
}

/* Behind the note of its channel, before the join itself. */
static void pause_redis(void *arg)
{
	bool *is_paused = arg;

	if (*is_paused || strcmp(redis("ZCARD t:{e1}:presence"), "0") == 0)
		return;
	*is_paused = true;
	redis("CLIENT PAUSE 2200 ALL");
}

/* As of a broker that was stopped meanwhile: another one may have handled the leave. */
Test(presence, a_join_that_comes_two_seconds_behind_its_note_is_not_made)
{
	struct presence_member m = {1, span_str(C1), span_str("u1"), span_str("one")};
	struct answer a = {0};
	bool is_paused = false;

	loop_at_turn_end(fixture.loop, pause_redis, &is_paused);
	store_presence_join(fixture.store, room, &m, on_change, &a);
	store_fixture_run(&fixture);
	cr_assert(eq(int, a.err, ERR_DOWN));
	for (int i = 0; i < 2;
	     i++) /* answered when the pause is over, the second behind the join */
		cr_assert(eq(str, redis("EXISTS t:{room:1}:members"), "0"));
	join(1, C1, "u1", "one");
	cr_assert(eq(str, redis("EXISTS t:{room:1}:members"), "1"));
}
