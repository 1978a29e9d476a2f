#ifndef TESTS_UNIT_TABLES_STORE_FIXTURE_H
#define TESTS_UNIT_TABLES_STORE_FIXTURE_H

/* A loop, a Redis and a store of tables, for one test; and questions that wait for their answers. */

#include "base/loop.h"
#include "tables/store/catalog.h"
#include "tables/store/items.h"
#include "tests/unit/store/redis_server.h"

struct tables_fixture {
	struct loop *loop;
	struct redis_server server;
	struct tables_store *store;
	struct arena *arena; /* of the test */
	struct timer *guard;
};

extern struct tables_fixture fixture;
void tables_fixture_init(void);
void tables_fixture_fini(void);

/* Turn the loop until somebody stops it; fails the test after 20 s. */
void tables_fixture_run(void);

/* Turn the loop for so long. */
void tables_fixture_wait(int64_t ms);

/* Ask the fixture's Redis by another way: the reply as text, which lives until the next call; an array as the number of its elements. */
const char *tables_fixture_redis(const char *fmt, ...);

/* A table of this definition, in the catalog. */
struct table *tables_fixture_table(const char *definition);

/* An item from its JSON. */
struct value_map tables_fixture_item(const char *json);

struct got {
	enum err e;
	struct item item;
};
struct got tables_fixture_get(const struct table *t, const char *key);

struct wrote {
	enum items_outcome outcome;
	enum err e;
	size_t part;
	struct item now;
};
struct wrote tables_fixture_write(const struct items_write *w);

/* Put an item and its entries as if old had been read. */
struct wrote tables_fixture_put(const struct table *t, const char *json,
				const struct item *old);

/* For catalog_done_fn: arg is an enum err. */
void tables_fixture_on_done(void *arg, enum err e);

#endif
