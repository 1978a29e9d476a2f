#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

struct fixture fixture;

static void on_guard(void *arg)
{
	(void)arg;
	cr_fatal("nobody has stopped the loop for 20 s");
}

static void on_up(void *arg)
{
	const struct fixture *b = arg;

	if (b->waits_for_up)
		loop_stop(b->loop);
}

void store_fixture_start(struct fixture *b)
{
	if (b->server.pid == 0)
		redis_server_start(&b->server);
	b->loop = loop_new();
	b->metrics = metrics_new();
	b->guard = timer_new(b->loop, on_guard, NULL);
	b->store = store_new(b->loop,
			     &(struct store_conf){.redis = b->server.url,
						  .prefix = "t:",
						  .timeout_ms = 300,
						  .max_in_flight = 1000},
			     b->metrics);
	cr_assert(b->store != NULL);
	store_on_up(b->store, on_up, b);
	store_fixture_run_until_up(b);
}

void store_fixture_stop(struct fixture *b)
{
	store_free(b->store);
	timer_free(b->guard);
	metrics_free(b->metrics);
	loop_free(b->loop);
	redis_server_stop(&b->server);
}

void store_fixture_init(void)
{
	store_fixture_start(&fixture);
}

void store_fixture_fini(void)
{
	store_fixture_stop(&fixture);
}

void store_fixture_run(struct fixture *b)
{
	timer_after(b->guard, PATIENCE_MS);
	loop_run(b->loop);
	timer_stop(b->guard);
}

void store_fixture_run_until_up(struct fixture *b)
{
	b->waits_for_up = true;
	if (!store_is_up(b->store))
		store_fixture_run(b);
	b->waits_for_up = false;
	cr_assert(store_is_up(b->store));
}

const char *store_fixture_redis(struct fixture *b, const char *fmt, ...)
{
	static char text[8192];
	redisContext *c = redisConnectUnix(b->server.socket);
	redisReply *r;
	va_list ap;

	cr_assert(c != NULL && c->err == 0);
	va_start(ap, fmt);
	r = redisvCommand(c, fmt, ap);
	va_end(ap);
	cr_assert(r != NULL);
	const redisReply *one = r->type == REDIS_REPLY_ARRAY ? r->element[0] : r;

	if (one->type == REDIS_REPLY_INTEGER)
		snprintf(text, sizeof text, "%lld", one->integer);
	else
		snprintf(text, sizeof text, "%s",
			 one->type == REDIS_REPLY_NIL ? "(nil)" : one->str);
	freeReplyObject(r);
	redisFree(c);
	return text;
}

void on_done(void *arg, enum err e)
{
	struct done *d = arg;

	d->calls++;
	d->err = e;
	loop_stop(d->fixture->loop);
}

enum err store_fixture_wait(struct done *d)
{
	int before = d->calls;

	while (d->calls == before)
		store_fixture_run(d->fixture);
	cr_assert(eq(int, d->calls, before + 1));
	return d->err;
}
