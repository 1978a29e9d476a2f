#include "redis/redis.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/store/bed.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/buffer.h>
#include <event2/listener.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <unistd.h>

enum { TIMEOUT_MS = 300, STALL_MS = 1500, WORDS_MOST = 16 };

static struct redis *redis;

static void on_up(void *arg)
{
	(void)arg;
	loop_stop(bed.loop);
}

static struct redis *connect_to(const char *url, int64_t max_in_flight)
{
	struct redis *r = redis_new(bed.loop,
				    &(struct redis_conf){.url = url,
							 .timeout_ms = TIMEOUT_MS,
							 .stall_ms = STALL_MS,
							 .max_in_flight = max_in_flight},
				    NULL);

	cr_assert(r != NULL);
	redis_on_up(r, on_up, NULL);
	return r;
}

static void start(void)
{
	bed_start(&bed);
	redis = connect_to(bed.server.url, 100);
	bed_run(&bed);
	cr_assert(redis_is_up(redis));
}

static void stop(void)
{
	redis_free(redis);
	bed_stop(&bed);
	memset(&bed, 0, sizeof bed);
}

/* What one request came to. */
struct got {
	int calls;
	enum err err;
	char text[64];
	bool keep_running;
};

static void on_reply(void *arg, enum err e, const redisReply *reply)
{
	struct got *g = arg;

	g->calls++;
	g->err = e;
	cr_assert(eq(int, e == OK, reply != NULL));
	if (reply != NULL && reply->str != NULL)
		snprintf(g->text, sizeof g->text, "%s", reply->str);
	if (!g->keep_running)
		loop_stop(bed.loop);
}

static void wait_for(const struct got *g)
{
	while (g->calls == 0)
		bed_run(&bed);
	cr_assert(eq(int, g->calls, 1));
}

/* A command of zero-terminated words, ended by NULL. */
static __attribute__((sentinel)) void call_words(struct redis *r, redis_reply_fn *fn,
						 void *arg, ...)
{
	const char *words[WORDS_MOST];
	int n = 0;
	va_list ap;

	va_start(ap, arg);
	for (const char *w = va_arg(ap, const char *); w != NULL;
	     w = va_arg(ap, const char *)) {
		cr_assert(n < WORDS_MOST);
		words[n++] = w;
	}
	va_end(ap);
	redis_call(r, fn, arg, n, words, NULL);
}

TestSuite(redis, .init = start, .fini = stop, .timeout = 60);

Test(redis, gives_each_of_many_pipelined_requests_its_own_reply)
{
	struct got got[50] = {0};
	char text[50][12];

	for (int i = 0; i < 50; i++) {
		snprintf(text[i], sizeof text[i], "%d", i);
		got[i].keep_running = i < 49;
		call_words(redis, on_reply, &got[i], "ECHO", text[i], NULL);
		cr_assert(eq(int, got[i].calls, 0), "called from inside the call");
	}
	wait_for(&got[49]);
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
	redis_call(redis, on_reply, &put, 3, (const char *[]){"SET", "k", value},
		   (size_t[]){3, 1, n});
	wait_for(&put);
	cr_assert(eq(int, put.err, OK));
	*set = turns;
	call_words(redis, on_reply, &got, "GET", "k", NULL);
	wait_for(&got);
	cr_assert(eq(int, got.err, OK));
	*get = turns - *set;
	free(value);
}

/* libevent's own limits, 16 KiB a write and 4,096 bytes a read, would need 6 and 16 turns at least. */
Test(redis, writes_96_kib_and_reads_64_kib_in_few_turns)
{
	int set, get;

	loop_at_turn_end(bed.loop, count_turn, NULL);
	turns_of(96 << 10, &set, &get);
	cr_assert(le(int, set, 4));
	turns_of(63 << 10, &set, &get);
	cr_assert(le(int, get, 4));
}

Test(redis, sends_bytes_as_they_are)
{
	struct got set = {0}, n = {0};

	redis_call(redis, on_reply, &set, 3, (const char *[]){"SET", "k", "a\0\r\nb"},
		   (size_t[]){3, 1, 5});
	wait_for(&set);
	cr_assert(eq(str, (char *)bed_redis(&bed, "STRLEN k"), "5"));
	call_words(redis, on_reply, &n, "GET", "k", NULL);
	wait_for(&n);
	cr_assert(eq(int, n.err, OK));
}

Test(redis, that_is_not_there_is_down_on_the_next_turn)
{
	struct got g = {0};

	redis_server_kill(&bed.server);
	while (redis_is_up(redis)) {
		struct got probe = {0};

		call_words(redis, on_reply, &probe, "PING", NULL);
		wait_for(&probe);
	}
	call_words(redis, on_reply, &g, "PING", NULL);
	cr_assert(eq(int, g.calls, 0));
	wait_for(&g);
	cr_assert(eq(int, g.err, ERR_DOWN));
}

Test(redis, that_freezes_is_down_at_the_deadline_and_its_late_replies_reach_nobody)
{
	struct got late = {0}, next = {0};
	int64_t begun = clock_ms(), took;

	redis_server_freeze(&bed.server);
	call_words(redis, on_reply, &late, "ECHO", "late", NULL);
	wait_for(&late);
	took = clock_ms() - begun;
	cr_assert(eq(int, late.err, ERR_DOWN));
	cr_assert(took >= TIMEOUT_MS - 20 && took < STALL_MS, "%d ms", (int)took);
	cr_assert(redis_is_up(redis));

	redis_server_thaw(&bed.server);
	call_words(redis, on_reply, &next, "ECHO", "next", NULL);
	wait_for(&next);
	cr_assert(eq(str, next.text, "next"));
	cr_assert(eq(int, late.calls, 1));
}

Test(redis, request_after_an_expired_one_has_its_full_and_only_its_own_time)
{
	struct got first = {0}, second = {0};
	int64_t begun;

	redis_server_freeze(&bed.server);
	call_words(redis, on_reply, &first, "PING", NULL);
	wait_for(&first);
	begun = clock_ms();
	call_words(redis, on_reply, &second, "PING", NULL);
	wait_for(&second);
	cr_assert(eq(int, second.err, ERR_DOWN));
	cr_assert(clock_ms() - begun >= TIMEOUT_MS - 20);
	cr_assert(redis_is_up(redis), "it was late: the stall came first");
	redis_server_thaw(&bed.server);
}

Test(redis, connection_that_stalls_is_made_anew)
{
	struct got lost = {0}, next = {0};
	int64_t begun = clock_ms();

	redis_server_freeze(&bed.server);
	call_words(redis, on_reply, &lost, "PING", NULL);
	wait_for(&lost);
	while (redis_is_up(redis)) {
		struct got probe = {0};

		call_words(redis, on_reply, &probe, "PING", NULL);
		wait_for(&probe);
	}
	cr_assert(clock_ms() - begun >= STALL_MS - 20);

	redis_server_thaw(&bed.server);
	while (!redis_is_up(redis))
		bed_run(&bed);
	call_words(redis, on_reply, &next, "ECHO", "again", NULL);
	wait_for(&next);
	cr_assert(eq(str, next.text, "again"));
}

Test(redis, that_was_killed_and_started_again_is_found_by_itself)
{
	struct got waiting = {0}, g = {0};

	redis_server_freeze(&bed.server);
	call_words(redis, on_reply, &waiting, "PING", NULL);
	redis_server_kill(&bed.server);
	wait_for(&waiting);
	cr_assert(eq(int, waiting.err, ERR_DOWN));
	redis_server_restart(&bed.server);
	while (!redis_is_up(redis))
		bed_run(&bed);
	call_words(redis, on_reply, &g, "ECHO", "back", NULL);
	wait_for(&g);
	cr_assert(eq(str, g.text, "back"));
}

Test(redis, takes_no_more_than_it_may_have_in_flight)
{
	struct got got[102] = {0};

	for (int i = 0; i < 102; i++) {
		got[i].keep_running = true;
		call_words(redis, on_reply, &got[i], "PING", NULL);
	}
	got[99].keep_running = false;
	while (got[99].calls == 0)
		bed_run(&bed);
	for (int i = 0; i < 102; i++) {
		cr_assert(eq(int, got[i].calls, 1));
		cr_assert(eq(int, got[i].err, i < 100 ? OK : ERR_BUSY), "%d", i);
	}

	struct got after = {0};

	call_words(redis, on_reply, &after, "PING", NULL);
	wait_for(&after);
	cr_assert(eq(int, after.err, OK));
}

Test(redis, key_of_another_type_is_malformed)
{
	struct got g = {0};

	bed_redis(&bed, "SET k text");
	call_words(redis, on_reply, &g, "HLEN", "k", NULL);
	wait_for(&g);
	cr_assert(eq(int, g.err, ERR_MALFORMED));
}

Test(redis, without_memory_is_busy_for_writes_and_there_for_reads)
{
	struct got set = {0}, get = {0};

	bed_redis(&bed, "CONFIG SET maxmemory 1");
	call_words(redis, on_reply, &set, "SET", "k", "v", NULL);
	wait_for(&set);
	cr_assert(eq(int, set.err, ERR_BUSY));
	call_words(redis, on_reply, &get, "GET", "k", NULL);
	wait_for(&get);
	cr_assert(eq(int, get.err, OK));
}

static struct got eval(const char *text, int nkeys, int argc, const char **argv)
{
	struct redis_script script = {text, strlen(text), NULL};
	struct got g = {0};
	char sha1[41];

	snprintf(sha1, sizeof sha1, "%s",
		 bed_redis(&bed, "SCRIPT LOAD %b", text, script.n));
	script.sha1 = sha1;
	redis_eval(redis, &script, on_reply, &g,
		   &(struct redis_args){nkeys, argc, argv, NULL});
	wait_for(&g);
	return g;
}

/* "Busy" promises that nothing was done: Redis stops a script at its first write or not at all. */
Test(redis, without_memory_runs_all_of_a_script_or_nothing)
{
	const char *keys[] = {"first", "second"};

	bed_redis(&bed, "SET first old");
	bed_redis(&bed, "CONFIG SET maxmemory 1");
	cr_assert(eq(int,
		     eval("redis.call('SET', KEYS[1], 'new') redis.call('DEL', KEYS[2])",
			  2, 2, keys)
			     .err,
		     ERR_BUSY));
	cr_assert(eq(str, (char *)bed_redis(&bed, "GET first"), "old"));
	cr_assert(eq(int,
		     eval("redis.call('DEL', KEYS[1]) redis.call('SET', KEYS[2], 'new')",
			  2, 2, keys)
			     .err,
		     OK));
	cr_assert(eq(str, (char *)bed_redis(&bed, "GET first"), "(nil)"));
	cr_assert(eq(str, (char *)bed_redis(&bed, "GET second"), "new"));
}

static void on_wait(void *arg)
{
	(void)arg;
	loop_stop(bed.loop);
}

/* Turn the loop for so long; several attempts to connect are made in a second. */
static void run_for(int64_t ms)
{
	struct timer *t = timer_new(bed.loop, on_wait, NULL);

	timer_after(t, ms);
	loop_run(bed.loop);
	timer_free(t);
}

Test(redis, that_became_a_replica_refuses_writes_is_left_and_is_back_as_a_master)
{
	struct got g = {0}, later = {0};

	bed_redis(&bed, "REPLICAOF 127.0.0.1 1");
	call_words(redis, on_reply, &g, "SET", "k", "v", NULL);
	wait_for(&g);
	cr_assert(eq(int, g.err, ERR_BUSY));
	run_for(500);
	cr_assert(not(redis_is_up(redis)));
	bed_redis(&bed, "REPLICAOF NO ONE");
	while (!redis_is_up(redis))
		bed_run(&bed);
	call_words(redis, on_reply, &later, "SET", "k", "v", NULL);
	wait_for(&later);
	cr_assert(eq(int, later.err, OK));
}

Test(redis, that_is_a_replica_never_comes_up)
{
	bed_redis(&bed, "REPLICAOF 127.0.0.1 1");
	redis_free(redis);
	redis = connect_to(bed.server.url, 10);
	run_for(500);
	cr_assert(not(redis_is_up(redis)));
}

/* Of the ACL: a user without ROLE is let in; a script that it stops may have written before. */
Test(redis, user_comes_up_without_role_and_is_told_what_is_forbidden)
{
	struct got g = {0};

	bed_redis(&bed, "ACL SETUSER default reset on nopass ~a +@all -role -pexpire");
	redis_free(redis);
	redis = connect_to(bed.server.url, 10);
	bed_run(&bed);
	cr_assert(redis_is_up(redis));
	call_words(redis, on_reply, &g, "GET", "b", NULL);
	wait_for(&g);
	cr_assert(eq(int, g.err, ERR_BUSY));
	cr_assert(eq(int,
		     eval("redis.call('SET', KEYS[1], 1) redis.call('PEXPIRE', KEYS[1], "
			  "9999)",
			  1, 1, (const char *[]){"a"})
			     .err,
		     ERR_DOWN));
	cr_assert(eq(str, (char *)bed_redis(&bed, "GET a"), "1"));
}

Test(redis, script_is_sent_by_its_text_only_when_redis_does_not_know_it)
{
	static const char text[] = "return KEYS[1] .. ARGV[1]";
	struct redis_script s = {text, sizeof text - 1,
				 "32a2f7e1e0b49ef0e9a8a3b4d4c6d8c16d2cd5c1"};
	char sha1[41];

	snprintf(sha1, sizeof sha1, "%s", bed_redis(&bed, "SCRIPT LOAD %s", text));
	s.sha1 = sha1;
	bed_redis(&bed, "SCRIPT FLUSH");
	for (int i = 0; i < 2; i++) {
		struct got g = {0};

		redis_eval(redis, &s, on_reply, &g,
			   &(struct redis_args){1, 2, (const char *[]){"a", "b"}, NULL});
		wait_for(&g);
		cr_assert(eq(int, g.err, OK));
		cr_assert(eq(str, g.text, "ab"));
	}
	cr_assert(strstr(bed_redis(&bed, "INFO commandstats"), "cmdstat_eval:calls=1,") !=
		  NULL);
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

	snprintf(sha1, sizeof sha1, "%s", bed_redis(&bed, "SCRIPT LOAD %b", text, s.n));
	s.sha1 = sha1;
	bed_redis(&bed, "SCRIPT FLUSH");
	for (size_t i = 0; i < WORDS; i++) {
		words[i] = "a\0b";
		lens[i] = 3;
	}
	for (int i = 0; i < 2; i++) {
		struct got g = {0};

		redis_eval(redis, &s, on_reply, &g,
			   &(struct redis_args){1, WORDS, words, lens});
		wait_for(&g);
		cr_assert(eq(int, g.err, OK));
		cr_assert(eq(str, g.text, "2000 6000 1"));
	}
}

Test(redis, freed_with_requests_in_flight_calls_nobody)
{
	struct got g = {0};

	call_words(redis, on_reply, &g, "PING", NULL);
	redis_free(redis);
	redis = connect_to(bed.server.url, 1);
	call_words(redis, on_reply, &g, "PING",
		   NULL); /* not connected: due on the next turn */
	redis_free(redis);
	redis = connect_to(bed.server.url, 100);
	bed_run(&bed);
	cr_assert(eq(int, g.calls, 0));
}

Test(redis, with_tls_files_that_are_not_there_is_refused_at_the_start)
{
	struct redis_conf conf = {.url = "rediss://db", .tls.ca = "/nowhere/ca.pem"};

	cr_assert(redis_new(bed.loop, &conf, NULL) == NULL);
	conf.tls = (struct redis_tls){.cert = "/nowhere/c.pem", .key = "/nowhere/k.pem"};
	cr_assert(redis_new(bed.loop, &conf, NULL) == NULL);
}

Test(redis, bad_url_is_refused_at_the_start)
{
	cr_assert(redis_new(bed.loop, &(struct redis_conf){.url = "localhost"}, NULL) ==
		  NULL);
}

Test(redis, late_requests_are_counted)
{
	struct evbuffer *out = evbuffer_new();
	struct metrics *m = metrics_new();
	struct redis *r = redis_new(bed.loop,
				    &(struct redis_conf){.url = bed.server.url,
							 .timeout_ms = 50,
							 .stall_ms = STALL_MS,
							 .max_in_flight = 10},
				    m);
	struct got g = {0};
	const char *all;

	redis_on_up(r, on_up, NULL);
	bed_run(&bed);
	redis_server_freeze(&bed.server);
	call_words(r, on_reply, &g, "PING", NULL);
	wait_for(&g);
	metrics_print(m, out);
	evbuffer_add(out, "", 1);
	all = (const char *)evbuffer_pullup(out, -1);
	cr_assert(strstr(all, "gatepost_redis_late_total 1\n") != NULL, "%s", all);
	cr_assert(strstr(all, "gatepost_redis_errors_total{kind=\"down\"} 1\n") != NULL,
		  "%s", all);
	cr_assert(strstr(all, "gatepost_redis_requests_total 3\n") != NULL, "%s", all);
	cr_assert(strstr(all, "gatepost_redis_up 1\n") != NULL, "%s", all);
	cr_assert(strstr(all, "gatepost_redis_in_flight 1\n") != NULL, "%s", all);
	redis_server_thaw(&bed.server);
	redis_free(r);
	metrics_free(m);
	evbuffer_free(out);
}

/* A port that was free a moment ago. */
static uint16_t free_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
	cr_assert(getsockname(fd, (struct sockaddr *)&sa, &n) == 0);
	close(fd);
	return ntohs(sa.sin_port);
}

static void start_locked(void)
{
	bed.loop = loop_new();
	bed.guard = timer_new(bed.loop, NULL, NULL);
	bed.server.port = free_port();
	bed.server.extra = "requirepass s3cret/word";
	redis_server_start(&bed.server);
}

TestSuite(redis_login, .init = start_locked, .fini = stop, .timeout = 60);

Test(redis_login, with_password_and_database_over_tcp_and_a_name)
{
	struct got g = {0};
	char url[96];

	snprintf(url, sizeof url, "redis://:s3cret%%2Fword@localhost:%u/3",
		 bed.server.port);
	redis = connect_to(url, 10);
	bed_run(&bed);
	call_words(redis, on_reply, &g, "CLIENT", "INFO", NULL);
	wait_for(&g);
	cr_assert(eq(int, g.err, OK));

	struct got set = {0}, move = {0};

	call_words(redis, on_reply, &set, "SET", "k", "v", NULL);
	wait_for(&set);
	call_words(redis, on_reply, &move, "MOVE", "k", "3",
		   NULL); /* refused only inside 3 */
	wait_for(&move);
	cr_assert(eq(int, move.err, ERR_MALFORMED));
}

static void never_comes_up(const char *url)
{
	struct got g = {0};

	redis = connect_to(url, 10);
	run_for(1000);
	cr_assert(not(redis_is_up(redis)));
	call_words(redis, on_reply, &g, "PING", NULL);
	wait_for(&g);
	cr_assert(eq(int, g.err, ERR_DOWN));
}

/* libevent took the process with it when /etc/hosts had a name for one family alone, at every second attempt. */
Test(redis_login, at_a_name_of_the_hosts_file_is_tried_again_and_again)
{
	char url[96];

	snprintf(url, sizeof url, "redis://:wrong@localhost:%u", bed.server.port);
	never_comes_up(url);
}

Test(redis_login, with_the_wrong_password_never_comes_up)
{
	char url[96];

	snprintf(url, sizeof url, "redis://:wrong@127.0.0.1:%u", bed.server.port);
	never_comes_up(url);
}

Test(redis_login, without_the_password_never_comes_up)
{
	never_comes_up(bed.server.url);
}

Test(redis_login, at_a_name_that_does_not_exist_never_comes_up)
{
	never_comes_up("redis://no-such-host.invalid:1");
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd,
		      struct sockaddr *sa, int n, void *arg)
{
	int *accepted = arg;
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	(void)listener;
	(void)sa;
	(void)n;
	++*accepted;
	cr_assert(eq(int, (int)write(fd, text, sizeof text - 1), (int)sizeof text - 1));
	close(fd);
}

Test(redis_login, at_what_is_no_redis_is_tried_again_and_never_comes_up)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(free_port()),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int accepted = 0;
	struct evconnlistener *listener = evconnlistener_new_bind(
		loop_base(bed.loop), on_accept, &accepted, LEV_OPT_CLOSE_ON_FREE, -1,
		(struct sockaddr *)&sa, sizeof sa);
	char url[96];

	snprintf(url, sizeof url, "127.0.0.1:%u", ntohs(sa.sin_port));
	never_comes_up(url);
	cr_assert(gt(int, accepted, 1));
	evconnlistener_free(listener);
}
