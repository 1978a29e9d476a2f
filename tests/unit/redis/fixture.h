#ifndef TESTS_UNIT_REDIS_FIXTURE_H
#define TESTS_UNIT_REDIS_FIXTURE_H

/* A loop, a Redis (the fixture of the store's tests) and a connection to it, for one test. */

#include "redis/redis.h"
#include "tests/unit/store/fixture.h"

#include <hiredis/hiredis.h>

enum { TIMEOUT_MS = 300, STALL_MS = 1500 };

/* The connection under test. */
extern struct redis *redis;

/* What a suite begins and ends with: redis is up. */
void fixture_start(void);
void fixture_stop(void);

/* Ends store_fixture_run, for redis_on_up. */
void fixture_on_up(void *arg);

/* Another connection; store_fixture_run returns when it is up. */
struct redis *fixture_connect(const char *url, int64_t max_in_flight);

/* What one request came to. */
struct got {
	int calls;
	enum err err;
	char text[64];
	bool keep_running;
};

/* A redis_reply_fn: notes the reply in the struct got, and ends store_fixture_run unless that says otherwise. */
void fixture_on_reply(void *arg, enum err e, const redisReply *reply);

/* Run until g's request has its reply. */
void fixture_wait(const struct got *g);

/* Send a command of zero-terminated words, ended by NULL. */
void fixture_call(struct redis *r, redis_reply_fn *fn, void *arg, ...)
	__attribute__((sentinel));

/* Run a script through redis, and wait for what it gives. */
struct got fixture_eval(const char *text, int nkeys, int argc, const char **argv);

/* Turn the loop for so long; several attempts to connect are made in a second. */
void fixture_run_for(int64_t ms);

#endif
