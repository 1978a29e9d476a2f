#ifndef TESTS_UNIT_BROKER_RUNTIME_RUNTIME_FIXTURE_H
#define TESTS_UNIT_BROKER_RUNTIME_RUNTIME_FIXTURE_H

/* A runtime on a loop that turns only while a test waits; its workers are in workers.h. */

#include "broker/runtime/runtime.h"

#include <stdbool.h>
#include <stdint.h>

enum { PATIENCE_MS = 10000, ENDS = 8 };

struct runtime_fixture {
	struct loop *loop;
	struct timer *moment; /* ends a turn */
	struct metrics *metrics;
	struct runtime *runtime;
	int n; /* ends of invocations */
	struct {
		enum result_kind kind;
		char why[600], payload[600];
		const char *which; /* its id */
	} ended[ENDS];
	bool frees; /* the runtime, when an invocation ends */
};
extern struct runtime_fixture runtime_fixture;

/* A runtime of function f, in which so many may wait, and for so long. */
void runtime_fixture_start(int64_t queue, int64_t wait_ms);
void runtime_fixture_stop(void);

/* Let the loop go on for a moment. */
void runtime_fixture_turn(void);

/* Ask for an invocation. The id is kept, as which, until the fixture stops. again: it may be repeated. Without client: one of its own. */
void runtime_fixture_invoke_for_client(const char *client, const char *id,
				       int64_t timeout_ms, bool again);
void runtime_fixture_invoke_for(const char *id, int64_t timeout_ms, bool again);
void runtime_fixture_invoke(const char *id); /* once, with time enough */

/* Turn until n invocations have ended in all. */
void runtime_fixture_ended(int n);

#endif
