#include "bed_store.h"

#include "broker/events/redelivery.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { PATIENCE_MS = 20000, LEASE_MS = 10000 };

struct redis_server bed_redis;
static struct timer *guard;
static int64_t rows;

static void on_guard(void *arg)
{
	(void)arg;
	cr_fatal("what the test waits for has not come in 20 s");
}

static void run(void)
{
	timer_after(guard, PATIENCE_MS);
	loop_run(bed.broker.loop);
	timer_stop(guard);
}

/* The end of each turn. */
static void look(void *arg)
{
	if (bed_said(0) > 0)
		loop_stop(arg);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

void bed_store_start(void)
{
	struct broker *b = &bed.broker;

	bed_start();
	redis_server_start(&bed_redis);
	b->loop = loop_new();
	guard = timer_new(b->loop, on_guard, NULL);
	b->store = store_new(b->loop,
			     &(struct store_conf){.redis = bed_redis.url,
						  .prefix = "t:",
						  .timeout_ms = 300,
						  .max_in_flight = 1000},
			     NULL);
	cr_assert(b->store != NULL);
	b->conf.lease_ms = LEASE_MS;
	b->owed = owed_new(b);
	store_on_up(b->store, stop, b->loop);
	if (!store_is_up(b->store))
		run();
	loop_at_turn_end(b->loop, look, b->loop);
}

void bed_store_stop(void)
{
	store_free(bed.broker.store);
	timer_free(guard);
	redis_server_stop(&bed_redis);
	bed_stop();
}

static void stop_when_down(void *arg)
{
	(void)arg;
	if (!store_is_up(bed.broker.store))
		loop_stop(bed.broker.loop);
}

void bed_store_lose(void)
{
	struct timer *t = timer_new(bed.broker.loop, stop_when_down, NULL);

	redis_server_kill(&bed_redis);
	timer_every(t, 5);
	run();
	timer_free(t);
	cr_assert(not(store_is_up(bed.broker.store)));
}

const Gatepost__Answer *bed_store_answer(void)
{
	const Gatepost__Envelope *e;

	if (bed_said(0) == 0)
		run();
	e = bed_read(0);
	cr_assert(eq(sz, e->n_items, 1));
	return e->items[0]->answer;
}

static void on_count(void *arg, enum err e, int64_t n)
{
	cr_assert(eq(int, e, OK));
	rows = n;
	loop_stop(arg);
}

int64_t bed_store_rows(void)
{
	store_connection_count(bed.broker.store, BED_NUMBER, on_count, bed.broker.loop);
	run();
	return rows;
}
