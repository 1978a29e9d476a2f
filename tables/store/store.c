#include "tables/store/store.h"

#include "base/map.h"
#include "base/mem.h"
#include "tables/store/catalog.h"

#include <event2/util.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STALL_MS = 5000 };

struct tables_store *
tables_store_new(struct loop *l, const struct tables_store_conf *conf, struct metrics *m)
{
	const struct redis_conf redis = {
		.url = conf->redis,
		.tls = conf->tls,
		.timeout_ms = conf->timeout_ms,
		.stall_ms = conf->timeout_ms > STALL_MS ? conf->timeout_ms : STALL_MS,
		.max_in_flight = conf->max_in_flight,
		.name = "tables",
	};
	struct redis *r = redis_new(l, &redis, m);
	struct tables_store *st;
	uint64_t boot;

	if (r == NULL)
		return NULL;
	st = xcalloc(1, sizeof *st);
	st->loop = l;
	st->redis = r;
	st->prefix = xstrdup(conf->prefix);
	st->tables = map_new();
	evutil_secure_rng_get_bytes(&st->random, sizeof st->random);
	evutil_secure_rng_get_bytes(&boot, sizeof boot);
	snprintf(st->boot, sizeof st->boot, "%016" PRIx64, boot);
	return st;
}

void tables_store_free(struct tables_store *st)
{
	if (st == NULL)
		return;
	redis_free(st->redis);
	catalog_forget_all(st);
	map_free(st->tables);
	free(st->prefix);
	free(st);
}

bool tables_store_is_up(const struct tables_store *st)
{
	return redis_is_up(st->redis);
}

/* splitmix64 (Steele, Lea, Flood 2014): each value once in 2^64, from a random beginning. */
uint64_t tables_store_version(struct tables_store *st)
{
	uint64_t z = st->random += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}
