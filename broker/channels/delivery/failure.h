#ifndef BROKER_CHANNELS_DELIVERY_FAILURE_H
#define BROKER_CHANNELS_DELIVERY_FAILURE_H

/* Why an action on a channel was not done: what the `error` frame and the management API's error have. */

#include <stdbool.h>
#include <string.h>

struct failure {
	const char *
		code; /* "bad_request", "unknown_namespace", "forbidden", "not_available", "too_large", "limit", "rate", "epoch", "unavailable", "internal" */
	const char *message; /* a sentence: what happened, and what to do */
	bool retryable;
};

/* The message when the connection has ended, or is ending, meanwhile. */
#define FAILURE_LEFT "the connection has ended"

static inline bool failure_is_left(const struct failure *f)
{
	return strcmp(f->message, FAILURE_LEFT) == 0;
}

#endif
