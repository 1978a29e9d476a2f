#include "redis/redis.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/redis/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(redis, .init = fixture_start, .fini = fixture_stop, .timeout = 60);

Test(redis, gives_each_of_many_pipelined_requests_its_own_reply)
{
	struct got got[50] = {0};
	char text[50][12];

	for (int i = 0; i < 50; i++) {
		snprintf(text[i], sizeof text[i], "%d", i);
		got[i].keep_running = i < 49;
		fixture_call(redis, fixture_on_reply, &got[i], "ECHO", text[i], NULL);
		cr_assert(eq(int, got[i].calls, 0), "called from inside the call");
	}
	fixture_wait(&got[49]);
	for (int i = 0; i < 50; i++) {
		cr_assert(eq(int, got[i].calls, 1));
		cr_assert(eq(str, got[i].text, text[i]));
	}
}

static int turns;

static void count_turn(void *arg)
{
	(void)arg;
	turns++;
}

/* How many turns of the loop a value of n bytes needs, there and back. */
static void turns_of(size_t n, int *set, int *get)
{
	char *value = xcalloc(1, n);
	struct got put = {0}, got = {0};

	turns = 0;
	memset(value, 'v', n);
	redis_call(redis, fixture_on_reply, &put, 3, (const char *[]){"SET", "k", value},
		   (size_t[]){3, 1, n});
	fixture_wait(&put);
	cr_assert(eq(int, put.err, OK));
	*set = turns;
	fixture_call(redis, fixture_on_reply, &got, "GET", "k", NULL);
	fixture_wait(&got);
	cr_assert(eq(int, got.err, OK));
	*get = turns - *set;
	free(value);
}

/* libevent's own limits, 16 KiB a write and 4,096 bytes a read, would need 6 and 16 turns at least. */
Test(redis, writes_96_kib_and_reads_64_kib_in_few_turns)
{
	int set, get;

	loop_at_turn_end(fixture.loop, count_turn, NULL);
	turns_of(96 << 10, &set, &get);
	cr_assert(le(int, set, 4));
	turns_of(63 << 10, &set, &get);
	cr_assert(le(int, get, 4));
}

Test(redis, sends_bytes_as_they_are)
{
	struct got set = {0}, n = {0};

	redis_call(redis, fixture_on_reply, &set, 3,
		   (const char *[]){"SET", "k", "a\0\r\nb"}, (size_t[]){3, 1, 5});
	fixture_wait(&set);
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "STRLEN k"), "5"));
	fixture_call(redis, fixture_on_reply, &n, "GET", "k", NULL);
	fixture_wait(&n);
	cr_assert(eq(int, n.err, OK));
}

Test(redis, that_freezes_is_down_at_the_deadline_and_its_late_replies_reach_nobody)
{
	struct got late = {0}, next = {0};
	int64_t begun = clock_ms(), took;

	redis_server_freeze(&fixture.server);
	fixture_call(redis, fixture_on_reply, &late, "ECHO", "late", NULL);
	fixture_wait(&late);
	took = clock_ms() - begun;
	cr_assert(eq(int, late.err, ERR_DOWN));
	cr_assert(took >= TIMEOUT_MS - 20 && took < STALL_MS, "%d ms", (int)took);
	cr_assert(redis_is_up(redis));

	redis_server_thaw(&fixture.server);
	fixture_call(redis, fixture_on_reply, &next, "ECHO", "next", NULL);
	fixture_wait(&next);
	cr_assert(eq(str, next.text, "next"));
	cr_assert(eq(int, late.calls, 1));
}

Test(redis, request_after_an_expired_one_has_its_full_and_only_its_own_time)
{
	struct got first = {0}, second = {0};
	int64_t begun;

	redis_server_freeze(&fixture.server);
	fixture_call(redis, fixture_on_reply, &first, "PING", NULL);
	fixture_wait(&first);
	begun = clock_ms();
	fixture_call(redis, fixture_on_reply, &second, "PING", NULL);
	fixture_wait(&second);
	cr_assert(eq(int, second.err, ERR_DOWN));
	cr_assert(clock_ms() - begun >= TIMEOUT_MS - 20);
	cr_assert(redis_is_up(redis), "it was late: the stall came first");
	redis_server_thaw(&fixture.server);
}

Test(redis, takes_no_more_than_it_may_have_in_flight)
{
	struct got got[102] = {0};

	for (int i = 0; i < 102; i++) {
		got[i].keep_running = true;
		fixture_call(redis, fixture_on_reply, &got[i], "PING", NULL);
	}
	got[99].keep_running = false;
	while (got[99].calls == 0)
		store_fixture_run(&fixture);
	for (int i = 0; i < 102; i++) {
		cr_assert(eq(int, got[i].calls, 1));
		cr_assert(eq(int, got[i].err, i < 100 ? OK : ERR_BUSY), "%d", i);
	}

	struct got after = {0};

	fixture_call(redis, fixture_on_reply, &after, "PING", NULL);
	fixture_wait(&after);
	cr_assert(eq(int, after.err, OK));
}

Test(redis, key_of_another_type_is_malformed)
{
	struct got g = {0};

	store_fixture_redis(&fixture, "SET k text");
	fixture_call(redis, fixture_on_reply, &g, "HLEN", "k", NULL);
	fixture_wait(&g);
	cr_assert(eq(int, g.err, ERR_MALFORMED));
}

Test(redis, without_memory_is_busy_for_writes_and_there_for_reads)
{
	struct got set = {0}, get = {0};

	store_fixture_redis(&fixture, "CONFIG SET maxmemory 1");
	fixture_call(redis, fixture_on_reply, &set, "SET", "k", "v", NULL);
	fixture_wait(&set);
	cr_assert(eq(int, set.err, ERR_BUSY));
	fixture_call(redis, fixture_on_reply, &get, "GET", "k", NULL);
	fixture_wait(&get);
	cr_assert(eq(int, get.err, OK));
}

/* "Busy" promises that nothing was done: Redis stops a script at its first write or not at all. */
Test(redis, without_memory_runs_all_of_a_script_or_nothing)
{
	const char *keys[] = {"first", "second"};

	store_fixture_redis(&fixture, "SET first old");
	store_fixture_redis(&fixture, "CONFIG SET maxmemory 1");
	cr_assert(
		eq(int,
		   fixture_eval(
			   "redis.call('SET', KEYS[1], 'new') redis.call('DEL', KEYS[2])",
			   2, 2, keys)
			   .err,
		   ERR_BUSY));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "GET first"), "old"));
	cr_assert(
		eq(int,
		   fixture_eval(
			   "redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[2], 'new')",
			   2, 2, keys)
			   .err,
		   OK));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "GET first"), "(nil)"));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "GET second"), "new"));
}

Test(redis, script_is_sent_by_its_text_only_when_redis_does_not_know_it)
{
	static const char text[] = "return KEYS[1] .. ARGV[1]";
	struct redis_script s = {text, sizeof text - 1,
				 "32a2f7e1e0b49ef0e9a8a3b4d4c6d8c16d2cd5c1"};
	char sha1[41];

	snprintf(sha1, sizeof sha1, "%s",
		 store_fixture_redis(&fixture, "SCRIPT LOAD %s", text));
	s.sha1 = sha1;
	store_fixture_redis(&fixture, "SCRIPT FLUSH");
	for (int i = 0; i < 2; i++) {
		struct got g = {0};

		redis_eval(redis, &s, fixture_on_reply, &g,
			   &(struct redis_args){1, 2, (const char *[]){"a", "b"}, NULL});
		fixture_wait(&g);
		cr_assert(eq(int, g.err, OK));
		cr_assert(eq(str, g.text, "ab"));
	}
	cr_assert(strstr(store_fixture_redis(&fixture, "INFO commandstats"),
			 "cmdstat_eval:calls=1,") != NULL);
}

Test(redis, script_whose_time_is_over_before_redis_misses_it_is_not_sent_again_or_logged)
{
	static const char text[] = "return redis.call('INCR', KEYS[1])";
	struct redis_script s = {text, sizeof text - 1,
				 "0123456789012345678901234567890123456789"};
	struct got late = {0};
	struct capture *c;
	char *lines;

	redis_server_freeze(&fixture.server);
	redis_eval(redis, &s, fixture_on_reply, &late,
		   &(struct redis_args){1, 1, (const char *[]){"late"}, NULL});
	fixture_wait(&late);
	cr_assert(eq(int, late.err, ERR_DOWN));
	c = capture_start(STDERR_FILENO);
	redis_server_thaw(&fixture.server);
	for (int i = 0; i < 2; i++) { /* the second one comes behind the script's text */
		struct got next = {0};

		fixture_call(redis, fixture_on_reply, &next, "PING", NULL);
		fixture_wait(&next);
	}
	lines = capture_end(c);
	cr_assert(eq(str, lines, ""));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "EXISTS late"), "0"));
	cr_assert(redis_is_up(redis));
	free(lines);
}

/* As for a batch of rows: the script gets each word, those with a zero byte too, also by its text. */
Test(redis, a_script_takes_thousands_of_words_that_may_hold_zero_bytes)
{
	enum { WORDS = 2001 };
	static const char text[] = "local n = 0 for i = 1, #ARGV do n = n + #ARGV[i] end "
				   "return #ARGV .. ' ' .. n .. ' ' .. #KEYS";
	struct redis_script s = {text, sizeof text - 1, NULL};
	static const char *words[WORDS];
	static size_t lens[WORDS];
	char sha1[41];

	snprintf(sha1, sizeof sha1, "%s",
		 store_fixture_redis(&fixture, "SCRIPT LOAD %b", text, s.n));
	s.sha1 = sha1;
	store_fixture_redis(&fixture, "SCRIPT FLUSH");
	for (size_t i = 0; i < WORDS; i++) {
		words[i] = "a\0b";
		lens[i] = 3;
	}
	for (int i = 0; i < 2; i++) {
		struct got g = {0};

		redis_eval(redis, &s, fixture_on_reply, &g,
			   &(struct redis_args){1, WORDS, words, lens});
		fixture_wait(&g);
		cr_assert(eq(int, g.err, OK));
		cr_assert(eq(str, g.text, "2000 6000 1"));
	}
}

Test(redis, freed_with_requests_in_flight_calls_nobody)
{
	struct got g = {0};

	fixture_call(redis, fixture_on_reply, &g, "PING", NULL);
	redis_free(redis);
	redis = fixture_connect(fixture.server.url, 1);
	fixture_call(redis, fixture_on_reply, &g, "PING",
		     NULL); /* not connected: due on the next turn */
	redis_free(redis);
	redis = fixture_connect(fixture.server.url, 100);
	store_fixture_run(&fixture);
	cr_assert(eq(int, g.calls, 0));
}

Test(redis, bad_url_is_refused_at_the_start)
{
	cr_assert(redis_new(fixture.loop, &(struct redis_conf){.url = "localhost"},
			    NULL) == NULL);
}

Test(redis, late_requests_are_counted)
{
	struct evbuffer *out = evbuffer_new();
	struct metrics *m = metrics_new();
	struct redis *r = redis_new(fixture.loop,
				    &(struct redis_conf){.url = fixture.server.url,
							 .timeout_ms = 50,
							 .stall_ms = STALL_MS,
							 .max_in_flight = 10},
				    m);
	struct got g = {0};
	const char *all;

	redis_on_up(r, fixture_on_up, NULL);
	store_fixture_run(&fixture);
	redis_server_freeze(&fixture.server);
	fixture_call(r, fixture_on_reply, &g, "PING", NULL);
	fixture_wait(&g);
	metrics_print(m, out);
	evbuffer_add(out, "", 1);
	all = (const char *)evbuffer_pullup(out, -1);
	cr_assert(strstr(all, "gatepost_redis_late_total 1\n") != NULL, "%s", all);
	cr_assert(strstr(all, "gatepost_redis_errors_total{kind=\"down\"} 1\n") != NULL,
		  "%s", all);
	cr_assert(strstr(all, "gatepost_redis_requests_total 3\n") != NULL, "%s", all);
	cr_assert(strstr(all, "gatepost_redis_up 1\n") != NULL, "%s", all);
	cr_assert(strstr(all, "gatepost_redis_in_flight 1\n") != NULL, "%s", all);
	redis_server_thaw(&fixture.server);
	redis_free(r);
	metrics_free(m);
	evbuffer_free(out);
}
