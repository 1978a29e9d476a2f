#ifndef BROKER_FUNCTION_CIRCUIT_H
#define BROKER_FUNCTION_CIRCUIT_H

/*
 * Who fails again and again is left alone for a while.
 *
 *   CLOSED --ten failures in a row--> OPEN --it has rested--> one probe at a time
 *      ^                               ^                        |          |
 *      |                               '------ it failed: ------'          |
 *      |                                       rest twice as long          |
 *      '------------------------------ it did not -------------------------'
 *
 * What was under way when the circuit opened says nothing about what comes after a rest,
 * so that a hundred failures at once are one reason to rest, and not ninety-one.
 */

#include <stdbool.h>
#include <stdint.h>

enum { CIRCUIT_TRIP = 10, CIRCUIT_REST_FIRST_MS = 1000, CIRCUIT_REST_MOST_MS = 30000 };

struct circuit {
	unsigned failures; /* in a row */
	int64_t rest_ms;   /* how long it rests; 0: closed */
	int64_t until_ms;  /* it rests until then */
	bool is_probing;   /* one has gone through since */
};

/* May one go through now? What says yes is told with circuit_record what came of it. */
bool circuit_allow(struct circuit *k, int64_t now_ms, bool *is_probe);

/* True when this opened it, or leaves it open for longer. */
bool circuit_record(struct circuit *k, int64_t now_ms, bool is_probe, bool failed);

#endif
