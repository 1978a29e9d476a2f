#ifndef TESTS_UNIT_STORE_BED_H
#define TESTS_UNIT_STORE_BED_H

/* A loop, a Redis and a store, for one test. */

#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/store/redis_server.h"
#include "store/store.h"

#include <stdbool.h>

struct bed {
	struct loop *loop;
	struct metrics *metrics;
	struct redis_server server;
	struct store *store;
	struct timer *guard;
	bool waits_for_up; /* bed_run_until_up does */
};

/* Prefix "t:", a timeout of 300 ms. Returns when the store is up. */
void bed_start(struct bed *b);
void bed_stop(struct bed *b);

/* The one of the test that runs (each is a process of its own); what a suite begins and ends it with. */
extern struct bed bed;
void bed_init(void);
void bed_fini(void);

/* Turn the loop until somebody stops it; fails the test after 20 s. */
void bed_run(struct bed *b);

/* The same until the store is up (again). */
void bed_run_until_up(struct bed *b);

/* Ask the bed's Redis by another way. The reply, as text (an integer in decimals, nil as "(nil)"), lives until the next call. */
const char *bed_redis(struct bed *b, const char *fmt, ...);

/* For questions without an answer: the code, and an end to bed_run. */
struct done {
	struct bed *bed;
	int calls;
	enum err err;
};
void on_done(void *arg, enum err e);

/* Run until d's fn has been called once more. */
enum err bed_wait(struct done *d);

#endif
