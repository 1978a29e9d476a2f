#ifndef TESTS_UNIT_BROKER_BED_STORE_H
#define TESTS_UNIT_BROKER_BED_STORE_H

/* The bed with a connection table: a Redis of its own, and a loop to wait on. */

#include "bed.h"
#include "store/connections.h"
#include "tests/unit/store/redis_server.h"

extern struct redis_server bed_redis;

/* Returns when the store is up. */
void bed_store_start(void);
void bed_store_stop(void);

/* kill -9 for Redis; returns when the store has seen it. */
void bed_store_lose(void);

/* Turn the loop until something has been said to edge 0; fails the test after 20 s. The one answer. */
const Gatepost__Answer *bed_store_answer(void);

/* Rows in the table of the bed's connection's edge. */
int64_t bed_store_rows(void);

#endif
