#ifndef BROKER_CHANNELS_FAILURE_H
#define BROKER_CHANNELS_FAILURE_H

/* Why an action on a channel was not done: what the `error` frame and the management API's error have. */

#include <stdbool.h>

struct failure {
	const char *
		code; /* "bad_request", "unknown_namespace", "forbidden", "not_available", "too_large", "limit", "rate", "epoch", "unavailable", "internal" */
	const char *message; /* a sentence: what happened, and what to do */
	bool retryable;
};

#endif
