#ifndef BROKER_FUNCTION_CIRCUIT_H
#define BROKER_FUNCTION_CIRCUIT_H

/*
 * A circuit breaker: after ten failures in a row, calls fail at once for a pause.
 *
 *   CLOSED --ten failures in a row--> OPEN --pause is over--> one probe at a time
 *      ^                               ^                        |          |
 *      |                               '------ it failed: ------'          |
 *      |                                     pause twice as long          |
 *      '------------------------------ success: ---------------------------'
 *
 * Calls that were in flight when the circuit opened do not count: a hundred failures at
 * once open it once, and do not make the pause longer.
 */

#include <stdbool.h>
#include <stdint.h>

enum { CIRCUIT_TRIP = 10, CIRCUIT_REST_FIRST_MS = 1000, CIRCUIT_REST_MOST_MS = 30000 };

struct circuit {
	unsigned failures; /* in a row */
	int64_t rest_ms;   /* the pause; 0: closed */
	int64_t until_ms;  /* end of the pause */
	bool is_probing;   /* a probe was sent since */
};

/* May a call be sent now? After true, report its result with circuit_record. */
bool circuit_allow(struct circuit *k, int64_t now_ms, bool *is_probe);

/* True when this opened it, or made the pause longer. */
bool circuit_record(struct circuit *k, int64_t now_ms, bool is_probe, bool failed);

#endif
