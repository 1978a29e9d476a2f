#include "tests/unit/redis/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MOST = 16 };

struct redis *redis;

void fixture_on_up(void *arg)
{
	(void)arg;
	loop_stop(fixture.loop);
}

struct redis *fixture_connect(const char *url, int64_t max_in_flight)
{
	struct redis *r = redis_new(fixture.loop,
				    &(struct redis_conf){.url = url,
							 .timeout_ms = TIMEOUT_MS,
							 .stall_ms = STALL_MS,
							 .max_in_flight = max_in_flight},
				    NULL);

	cr_assert(r != NULL);
	redis_on_up(r, fixture_on_up, NULL);
	return r;
}

void fixture_start(void)
{
	store_fixture_start(&fixture);
	redis = fixture_connect(fixture.server.url, 100);
	store_fixture_run(&fixture);
	cr_assert(redis_is_up(redis));
}

void fixture_stop(void)
{
	redis_free(redis);
	store_fixture_stop(&fixture);
	memset(&fixture, 0, sizeof fixture);
}

void fixture_on_reply(void *arg, enum err e, const redisReply *reply)
{
	struct got *g = arg;

	g->calls++;
	g->err = e;
	cr_assert(eq(int, e == OK, reply != NULL));
	if (reply != NULL && reply->str != NULL)
		snprintf(g->text, sizeof g->text, "%s", reply->str);
	if (!g->keep_running)
		loop_stop(fixture.loop);
}

void fixture_wait(const struct got *g)
{
	while (g->calls == 0)
		store_fixture_run(&fixture);
	cr_assert(eq(int, g->calls, 1));
}

void fixture_call(struct redis *r, redis_reply_fn *fn, void *arg, ...)
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

struct got fixture_eval(const char *text, int nkeys, int argc, const char **argv)
{
	struct redis_script script = {text, strlen(text), NULL};
	struct got g = {0};
	char sha1[41];

	snprintf(sha1, sizeof sha1, "%s",
		 store_fixture_redis(&fixture, "SCRIPT LOAD %b", text, script.n));
	script.sha1 = sha1;
	redis_eval(redis, &script, fixture_on_reply, &g,
		   &(struct redis_args){nkeys, argc, argv, NULL});
	fixture_wait(&g);
	return g;
}

static void on_wait(void *arg)
{
	(void)arg;
	loop_stop(fixture.loop);
}

void fixture_run_for(int64_t ms)
{
	struct timer *t = timer_new(fixture.loop, on_wait, NULL);

	timer_after(t, ms);
	loop_run(fixture.loop);
	timer_free(t);
}
