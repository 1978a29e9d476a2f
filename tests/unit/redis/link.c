/* How a connection to Redis comes, goes and comes again. */
#include "base/clock.h"
#include "tests/unit/redis/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(redis_link, .init = fixture_start, .fini = fixture_stop, .timeout = 60);

Test(redis_link, that_is_not_there_is_down_on_the_next_turn)
{
	struct got g = {0};

	redis_server_kill(&fixture.server);
	while (redis_is_up(redis)) {
		struct got probe = {0};

		fixture_call(redis, fixture_on_reply, &probe, "PING", NULL);
		fixture_wait(&probe);
	}
	fixture_call(redis, fixture_on_reply, &g, "PING", NULL);
	cr_assert(eq(int, g.calls, 0));
	fixture_wait(&g);
	cr_assert(eq(int, g.err, ERR_DOWN));
}

Test(redis_link, connection_that_stalls_is_made_anew)
{
	struct got lost = {0}, next = {0};
	int64_t begun = clock_ms();

	redis_server_freeze(&fixture.server);
	fixture_call(redis, fixture_on_reply, &lost, "PING", NULL);
	fixture_wait(&lost);
	while (redis_is_up(redis)) {
		struct got probe = {0};

		fixture_call(redis, fixture_on_reply, &probe, "PING", NULL);
		fixture_wait(&probe);
	}
	cr_assert(clock_ms() - begun >= STALL_MS - 20);

	redis_server_thaw(&fixture.server);
	while (!redis_is_up(redis))
		store_fixture_run(&fixture);
	fixture_call(redis, fixture_on_reply, &next, "ECHO", "again", NULL);
	fixture_wait(&next);
	cr_assert(eq(str, next.text, "again"));
}

Test(redis_link, that_was_killed_and_started_again_is_found_by_itself)
{
	struct got waiting = {0}, g = {0};

	redis_server_freeze(&fixture.server);
	fixture_call(redis, fixture_on_reply, &waiting, "PING", NULL);
	redis_server_kill(&fixture.server);
	fixture_wait(&waiting);
	cr_assert(eq(int, waiting.err, ERR_DOWN));
	redis_server_restart(&fixture.server);
	while (!redis_is_up(redis))
		store_fixture_run(&fixture);
	fixture_call(redis, fixture_on_reply, &g, "ECHO", "back", NULL);
	fixture_wait(&g);
	cr_assert(eq(str, g.text, "back"));
}

Test(redis_link, that_became_a_replica_refuses_writes_is_left_and_is_back_as_a_master)
{
	struct got g = {0}, later = {0};

	store_fixture_redis(&fixture, "REPLICAOF 127.0.0.1 1");
	fixture_call(redis, fixture_on_reply, &g, "SET", "k", "v", NULL);
	fixture_wait(&g);
	cr_assert(eq(int, g.err, ERR_BUSY));
	fixture_run_for(500);
	cr_assert(not(redis_is_up(redis)));
	store_fixture_redis(&fixture, "REPLICAOF NO ONE");
	while (!redis_is_up(redis))
		store_fixture_run(&fixture);
	fixture_call(redis, fixture_on_reply, &later, "SET", "k", "v", NULL);
	fixture_wait(&later);
	cr_assert(eq(int, later.err, OK));
}

Test(redis_link, that_is_a_replica_never_comes_up)
{
	store_fixture_redis(&fixture, "REPLICAOF 127.0.0.1 1");
	redis_free(redis);
	redis = fixture_connect(fixture.server.url, 10);
	fixture_run_for(500);
	cr_assert(not(redis_is_up(redis)));
}

/* Of the ACL: a user without ROLE is let in; a script that it stops may have written before. */
Test(redis_link, user_comes_up_without_role_and_is_told_what_is_forbidden)
{
	struct got g = {0};

	store_fixture_redis(
		&fixture, "ACL SETUSER default reset on nopass ~a +@all -role -pexpire");
	redis_free(redis);
	redis = fixture_connect(fixture.server.url, 10);
	store_fixture_run(&fixture);
	cr_assert(redis_is_up(redis));
	fixture_call(redis, fixture_on_reply, &g, "GET", "b", NULL);
	fixture_wait(&g);
	cr_assert(eq(int, g.err, ERR_BUSY));
	cr_assert(
		eq(int,
		   fixture_eval(
			   "redis.call('SET', KEYS[1], 1) redis.call('PEXPIRE', KEYS[1], "
			   "9999)",
			   1, 1, (const char *[]){"a"})
			   .err,
		   ERR_DOWN));
	cr_assert(eq(str, (char *)store_fixture_redis(&fixture, "GET a"), "1"));
}

Test(redis_link, with_tls_files_that_are_not_there_is_refused_at_the_start)
{
	struct redis_conf conf = {.url = "rediss://db", .tls.ca = "/nowhere/ca.pem"};

	cr_assert(redis_new(fixture.loop, &conf, NULL) == NULL);
	conf.tls = (struct redis_tls){.cert = "/nowhere/c.pem", .key = "/nowhere/k.pem"};
	cr_assert(redis_new(fixture.loop, &conf, NULL) == NULL);
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
	fixture.loop = loop_new();
	fixture.guard = timer_new(fixture.loop, NULL, NULL);
	fixture.server.port = free_port();
	fixture.server.extra = "requirepass s3cret/word";
	redis_server_start(&fixture.server);
}

TestSuite(redis_login, .init = start_locked, .fini = fixture_stop, .timeout = 60);

Test(redis_login, with_password_and_database_over_tcp_and_a_name)
{
	struct got g = {0};
	char url[96];

	snprintf(url, sizeof url, "redis://:s3cret%%2Fword@localhost:%u/3",
		 fixture.server.port);
	redis = fixture_connect(url, 10);
	store_fixture_run(&fixture);
	fixture_call(redis, fixture_on_reply, &g, "CLIENT", "INFO", NULL);
	fixture_wait(&g);
	cr_assert(eq(int, g.err, OK));

	struct got set = {0}, move = {0};

	fixture_call(redis, fixture_on_reply, &set, "SET", "k", "v", NULL);
	fixture_wait(&set);
	fixture_call(redis, fixture_on_reply, &move, "MOVE", "k", "3",
		     NULL); /* refused only inside 3 */
	fixture_wait(&move);
	cr_assert(eq(int, move.err, ERR_MALFORMED));
}

static void never_comes_up(const char *url)
{
	struct got g = {0};

	redis = fixture_connect(url, 10);
	fixture_run_for(1000);
	cr_assert(not(redis_is_up(redis)));
	fixture_call(redis, fixture_on_reply, &g, "PING", NULL);
	fixture_wait(&g);
	cr_assert(eq(int, g.err, ERR_DOWN));
}

/* libevent took the process with it when /etc/hosts had a name for one family alone, at every second attempt. */
Test(redis_login, at_a_name_of_the_hosts_file_is_tried_again_and_again)
{
	char url[96];

	snprintf(url, sizeof url, "redis://:wrong@localhost:%u", fixture.server.port);
	never_comes_up(url);
}

Test(redis_login, with_the_wrong_password_never_comes_up)
{
	char url[96];

	snprintf(url, sizeof url, "redis://:wrong@127.0.0.1:%u", fixture.server.port);
	never_comes_up(url);
}

Test(redis_login, without_the_password_never_comes_up)
{
	never_comes_up(fixture.server.url);
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
		loop_base(fixture.loop), on_accept, &accepted, LEV_OPT_CLOSE_ON_FREE, -1,
		(struct sockaddr *)&sa, sizeof sa);
	char url[96];

	snprintf(url, sizeof url, "127.0.0.1:%u", ntohs(sa.sin_port));
	never_comes_up(url);
	cr_assert(gt(int, accepted, 1));
	evconnlistener_free(listener);
}
