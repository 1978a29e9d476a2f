#ifndef TABLES_STORE_H
#define TABLES_STORE_H

/*
 * Tables in Redis. What can be asked is in catalog.h, items.h and range.h; keys.h has the keys.
 *
 * For every question: fn is called once and never from inside the call that asked.
 * What it gets is borrowed until it returns. A question lives in the arena that it
 * is given, which stands until fn has been called. Besides what each question names,
 * every fn may get
 *   ERR_DOWN       no answer (yet): a write may have been done or not; ask again later
 *   ERR_BUSY       Redis cannot now: nothing was done; ask again later
 *   ERR_MALFORMED  what is in Redis is not ours to read, or Redis refused it (it is in the log)
 */

#include "base/loop.h"
#include "base/metric.h"
#include "redis/redis.h"

struct map; /* base/map.h */

struct tables_store {
	struct loop *loop;
	struct redis *redis;
	char *prefix;
	struct map *tables; /* of the catalog, as last seen: struct table by name */
	uint64_t random;    /* for versions */
	char boot[17];      /* of this process, for locks and leases */
};

struct tables_store_conf {
	const char *redis; /* as of redis_conf */
	struct redis_tls tls;
	const char *prefix;
	int64_t timeout_ms, max_in_flight;
};

/* m: may be NULL. NULL after an error line when the URL is wrong. */
struct tables_store *
tables_store_new(struct loop *l, const struct tables_store_conf *conf, struct metrics *m);

/* No fn is called any more. NULL is fine. */
void tables_store_free(struct tables_store *st);

bool tables_store_is_up(const struct tables_store *st);

/* Eight bytes that no version of an item had before, but for chance. */
uint64_t tables_store_version(struct tables_store *st);

#endif
