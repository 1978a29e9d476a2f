#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

/* A loop, a Redis and a store, for one test. */

#include "base/loop.h"
#include "base/metric.h"
#include "tests/unit/store/redis_server.h"
#include "store/store.h"

#include <stdbool.h>

struct fixture {
	struct loop *loop;
	struct metrics *metrics;
	struct redis_server server;
	struct store *store;
	struct timer *guard;
	bool waits_for_up; /* store_fixture_run_until_up does */
};

/* Prefix "t:", a timeout of 300 ms. Returns when the store is up. */
void store_fixture_start(struct fixture *b);
void store_fixture_stop(struct fixture *b);

/* The one of the test that runs (each is a process of its own); what a suite begins and ends it with. */
extern struct fixture fixture;
void store_fixture_init(void);
void store_fixture_fini(void);

/* Turn the loop until somebody stops it; fails the test after 20 s. */
void store_fixture_run(struct fixture *b);

/* The same until the store is up (again). */
void store_fixture_run_until_up(struct fixture *b);

/* Ask the fixture's Redis by another way. The reply, as text (an integer in decimals, nil as "(nil)", an array as its first element), lives until the next call. */
const char *store_fixture_redis(struct fixture *b, const char *fmt, ...);

/* For questions without an answer: the code, and an end to store_fixture_run. */
struct done {
	struct fixture *fixture;
	int calls;
	enum err err;
};
void on_done(void *arg, enum err e);

/* Run until d's fn has been called once more. */
enum err store_fixture_wait(struct done *d);

#endif
