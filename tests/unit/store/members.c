#include "store/members.h"

#include "base/mem.h"
#include "tests/unit/store/fixture_pending.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TTL_MS = 60000 };

TestSuite(members, .init = store_fixture_init, .fini = store_fixture_fini, .timeout = 60);

struct seen {
	enum err err;
	char members[128]; /* "boot name endpoint, …" */
	char cluster[MEMBERS_CLUSTER];
	int64_t age_ms;
};

static void on_view(void *arg, enum err e, const struct members_view *view)
{
	struct seen *s = arg;
	size_t at = 0;

	s->err = e;
	loop_stop(fixture.loop);
	cr_assert(eq(int, e == OK, view != NULL));
	if (view == NULL)
		return;
	for (size_t i = 0; i < view->n; i++)
		at += (size_t)snprintf(
			s->members + at, sizeof s->members - at, "%.*s %.*s %.*s, ",
			SPAN_ARG(view->members[i].boot), SPAN_ARG(view->members[i].name),
			SPAN_ARG(view->members[i].endpoint));
	snprintf(s->cluster, sizeof s->cluster, "%.*s", SPAN_ARG(view->cluster));
	s->age_ms = view->age_ms;
}

static struct seen beat_for(const char *boot, const char *name, const char *endpoint,
			    int64_t ttl_ms)
{
	struct seen s = {0};
	struct member self = {.name = span_str(name),
			      .boot = span_str(boot),
			      .endpoint = span_str(endpoint)};

	store_members_beat(fixture.store, &self, boot, ttl_ms, on_view, &s);
	store_fixture_run(&fixture);
	return s;
}

static struct seen beat(const char *boot)
{
	return beat_for(boot, "broker", "tcp://h:1", TTL_MS);
}

Test(members, first_one_makes_the_cluster_and_the_second_finds_it)
{
	struct seen a = beat_for("x1", "broker-0", "ipc:///a", TTL_MS);
	struct seen b = beat_for("x2", "broker-1", "ipc:///b", TTL_MS);

	cr_assert(eq(str, a.members, "x1 broker-0 ipc:///a, "));
	cr_assert(eq(str, a.cluster, "x1"));
	cr_assert(eq(str, b.members, "x1 broker-0 ipc:///a, x2 broker-1 ipc:///b, "));
	cr_assert(eq(str, b.cluster, "x1"));
}

Test(members, that_beat_again_are_there_once_and_with_what_they_said_last)
{
	beat_for("x1", "broker-0", "ipc:///a", TTL_MS);
	cr_assert(eq(str, beat_for("x1", "broker-0", "ipc:///c", TTL_MS).members,
		     "x1 broker-0 ipc:///c, "));
}

static void on_later(void *arg)
{
	loop_stop(arg);
}

Test(members, whose_time_is_over_are_gone)
{
	struct timer *later = timer_new(fixture.loop, on_later, fixture.loop);

	beat_for("x1", "broker-0", "ipc:///a", 100);
	beat("x2");
	timer_after(later, 150); /* Redis's own clock decides, and it cannot be faked */
	store_fixture_run(&fixture);
	cr_assert(eq(str, beat("x2").members, "x2 broker tcp://h:1, "));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "HLEN t:{m}:members"),
		     "1"));
	timer_free(later);
}

Test(members, whose_time_is_far_ahead_have_twice_the_askers_from_now_on)
{
	static const char *const far[] = {"4e15", "1e300", "1e999"};
	struct timer *later = timer_new(fixture.loop, on_later, fixture.loop);

	for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
		char row[200];

		snprintf(row, sizeof row,
			 "{\"name\":\"b\",\"endpoint\":\"tcp://far:1\",\"expires\":%s}",
			 far[i]);
		store_fixture_redis(&fixture, "HSET t:{m}:members far %s", row);
		cr_assert(eq(str, beat_for("x1", "broker", "tcp://h:1", 50).members,
			     "far b tcp://far:1, x1 broker tcp://h:1, "));
		store_fixture_redis(&fixture,
				    "PERSIST t:{m}:members"); /* others beat for longer */
		timer_after(later, 150);
		store_fixture_run(&fixture);
		cr_assert(eq(str, beat("x1").members, "x1 broker tcp://h:1, "));
	}
	timer_free(later);
}

Test(members, that_left_are_gone_at_once)
{
	struct done d = {.fixture = &fixture};

	beat("x1");
	beat("x2");
	store_members_leave(fixture.store, span_str("x1"), on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), OK));
	cr_assert(eq(str, beat("x2").members, "x2 broker tcp://h:1, "));
	store_members_leave(fixture.store, span_str("x1"), on_done, &d);
	cr_assert(eq(int, store_fixture_wait(&d), ERR_NOTFOUND));
}

Test(members, make_a_new_cluster_when_redis_was_killed_and_came_back_empty)
{
	struct seen s;

	cr_assert(eq(str, beat("x1").cluster, "x1"));
	redis_server_kill(&fixture.server);
	while (store_is_up(fixture.store)) {
		s = beat("x1");
		cr_assert(eq(int, s.err, ERR_DOWN));
	}
	redis_server_restart(&fixture.server);
	store_fixture_run_until_up(&fixture);
	s = beat("x2");
	cr_assert(eq(int, s.err, OK));
	cr_assert(eq(str, s.cluster, "x2"));
	cr_assert(eq(str, beat("x1").cluster, "x2"));
}

Test(members, give_the_cluster_another_ending_when_redis_came_back_with_all_it_had)
{
	struct seen s;
	char run[64];

	cr_assert(eq(str, beat("x1").cluster, "x1"));
	snprintf(run, sizeof run, "%s",
		 store_fixture_redis(&fixture, "GET t:{m}:cluster"));
	cr_assert(eq(str, beat("x2").cluster, "x1"));
	cr_assert(
		eq(str, (char *)store_fixture_redis(&fixture, "GET t:{m}:cluster"), run));
	store_fixture_redis(&fixture, "SET t:{m}:cluster %b", "x1 of-another-process",
			    (size_t)21);
	s = beat("x2");
	cr_assert(eq(int, strncmp(s.cluster, "x1.", 3), 0), "%s", s.cluster);
	cr_assert(eq(sz, strlen(s.cluster), strlen("x1.abcdef-01234567890")));
	cr_assert(eq(str, beat("x3").cluster, s.cluster));
	store_fixture_redis(&fixture, "SET t:{m}:cluster x1");
	cr_assert(eq(str, beat("x3").cluster, "x3"));
}

/* Two failovers: what it has lost as a replica may be of the time of its first id. */
Test(members, have_a_new_cluster_when_the_same_redis_is_the_master_again)
{
	struct seen first, second;

	beat("x1");
	store_fixture_redis(&fixture, "SET t:{m}:cluster %b", "x1 of-another",
			    (size_t)13);
	first = beat("x2");
	do { /* until Redis's clock has gone on */
		store_fixture_redis(&fixture, "SET t:{m}:cluster %b",
				    "x1.abcdef-01234567890 of-another", (size_t)32);
		second = beat("x2");
	} while (strcmp(second.cluster, first.cluster) == 0);
	cr_assert(eq(sz, strlen(second.cluster), strlen(first.cluster)));
	cr_assert(eq(int, strncmp(second.cluster, "x1.", 3), 0));
}

Test(members, are_told_how_old_the_cluster_is_and_that_one_without_a_birth_is_very_old)
{
	char *run, *end;

	cr_assert(eq(i64, beat("x1").age_ms, 0));
	pending_wait(&fixture, 20);
	cr_assert(ge(i64, beat("x2").age_ms, 20));
	cr_assert(lt(i64, beat("x2").age_ms, TTL_MS));
	run = strdup(store_fixture_redis(&fixture, "GET t:{m}:cluster"));
	end = strrchr(run, ' ');
	store_fixture_redis(&fixture, "SET t:{m}:cluster %b", run, (size_t)(end - run));
	cr_assert(eq(str, beat("x2").cluster, "x1"));
	cr_assert(gt(i64, beat("x2").age_ms, TTL_MS));
	free(run);
}

static struct seen beat_numbered(const char *boot, int64_t n, int64_t answered,
				 const char *cluster)
{
	struct seen s = {0};
	struct member self = {.name = span_str("b"),
			      .boot = span_str(boot),
			      .endpoint = span_str("tcp://h:1"),
			      .beat = n,
			      .answered = answered,
			      .cluster = span_str(cluster)};

	store_members_beat(fixture.store, &self, boot, TTL_MS, on_view, &s);
	store_fixture_run(&fixture);
	cr_assert(eq(int, s.err, OK));
	return s;
}

Test(members, that_find_an_older_beat_of_their_own_give_the_cluster_another_id_once)
{
	struct seen s;
	char *old;

	beat_numbered("x1", 1, 0, "");
	beat_numbered("x2", 1, 0, "");
	old = xstrdup(store_fixture_redis(&fixture, "HGET t:{m}:members x1"));
	beat_numbered("x2", 2, 1, "x1");
	cr_assert(eq(str, beat_numbered("x1", 2, 1, "x1").cluster, "x1"));
	cr_assert(eq(str, beat_numbered("x1", 1, 0, "").cluster, "x1"), "it came late");
	cr_assert(eq(str, beat_numbered("x1", 3, 2, "x1").cluster, "x1"));

	store_fixture_redis(&fixture, "HSET t:{m}:members x1 %s", old);
	store_fixture_redis(&fixture, "HSET t:{m}:members x2 %s", old);
	s = beat_numbered("x1", 4, 3, "x1");
	cr_assert(strncmp(s.cluster, "x1.", 3) == 0, "%s", s.cluster);
	cr_assert(eq(str, beat_numbered("x2", 3, 2, "x1").cluster, s.cluster));
	cr_assert(eq(str, beat_numbered("x1", 5, 4, s.cluster).cluster, s.cluster));
	store_fixture_redis(&fixture, "HDEL t:{m}:members x1");
	cr_assert(eq(str, beat_numbered("x1", 6, 5, s.cluster).cluster, s.cluster),
		  "it has expired");
	free(old);
}

static void on_linked(void *arg, enum err e, const struct members_view *view)
{
	char *text = arg;

	cr_assert(eq(int, e, OK));
	for (size_t i = 0; i < view->n; i++)
		text += sprintf(text, "%.*s=%.*s;", SPAN_ARG(view->members[i].boot),
				SPAN_ARG(view->members[i].edges));
	loop_stop(fixture.loop);
}

Test(members,
     have_the_edges_that_they_said_last_and_none_when_their_row_has_no_such_field)
{
	static const char *const linked[] = {"1-3,7", "", "9"};
	struct member self = {.name = span_str("b"),
			      .boot = span_str("x1"),
			      .endpoint = span_str("tcp://h:1")};
	char text[200], expected[200];

	store_fixture_redis(
		&fixture, "HSET t:{m}:members x2 %s",
		"{\"name\":\"b\",\"endpoint\":\"tcp://h:2\",\"expires\":4e15}");
	store_fixture_redis(&fixture, "HSET t:{m}:members x3 %s",
			    "{\"name\":\"b\",\"endpoint\":\"tcp://h:3\",\"edges\":\"4\","
			    "\"expires\":4e15}");
	for (size_t i = 0; i < sizeof linked / sizeof *linked; i++) {
		self.edges = span_str(linked[i]);
		store_members_beat(fixture.store, &self, "c", TTL_MS, on_linked, text);
		store_fixture_run(&fixture);
		snprintf(expected, sizeof expected, "x1=%s;x2=;x3=4;", linked[i]);
		cr_assert(eq(str, text, expected));
	}
}

Test(members, of_another_hand_are_removed)
{
	store_fixture_redis(
		&fixture,
		"HSET t:{m}:members x0 nonsense x3 7 x4 {\"expires\":\"soon\"}");
	cr_assert(eq(str, beat("x1").members, "x1 broker tcp://h:1, "));
}

Test(members, have_names_with_any_characters)
{
	struct seen s = beat_for("x1", "\"b\" \\ \xc3\xa9", "tcp://[::1]:1", TTL_MS);

	cr_assert(eq(str, s.members, "x1 \"b\" \\ \xc3\xa9 tcp://[::1]:1, "));
	cr_assert(eq(str, beat("x0").members,
		     "x0 broker tcp://h:1, x1 \"b\" \\ \xc3\xa9 tcp://[::1]:1, "));
}

Test(members, key_of_another_type_is_malformed)
{
	store_fixture_redis(&fixture, "SET t:{m}:members text");
	cr_assert(eq(int, beat("x1").err, ERR_MALFORMED));
}

Test(members, key_goes_when_all_have_been_silent_for_long_and_the_cluster_stays)
{
	beat("x1");
	cr_assert(ne(str, (char *)store_fixture_redis(&fixture, "PTTL t:{m}:members"),
		     "-1"));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "PTTL t:{m}:cluster"),
		     "-1"));
}

Test(members, stay_members_while_redis_is_full)
{
	struct seen s;

	beat("x1");
	beat_for("x2", "gone", "tcp://h:2", 1);
	store_fixture_redis(&fixture, "CONFIG SET maxmemory 1");
	store_fixture_redis(&fixture, "PEXPIRE t:{m}:members 1000");
	s = beat("x1");
	cr_assert(eq(int, s.err, OK));
	cr_assert(gt(int, atoi(store_fixture_redis(&fixture, "PTTL t:{m}:members")),
		     TTL_MS));
}
