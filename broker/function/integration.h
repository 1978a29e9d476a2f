#ifndef BROKER_FUNCTION_INTEGRATION_H
#define BROKER_FUNCTION_INTEGRATION_H

/* Runs the functions of one sort. */

#include "broker/payload/invocation.h"
#include "broker/payload/result.h"
#include "config/config.h"

struct integration {
	/* config outlives what it returns; NULL: it cannot be served. */
	void *(*open)(void *arg, const struct config_function *config);
	void (*close)(void *state);

	/*
	 * config is the one of open, or that of the same function in a newer configuration.
	 * in lives until fn was called. May call fn before it returns:
	 * the caller must do nothing after it.
	 */
	void (*invoke)(void *state, const struct config_function *config,
		       const struct invocation *in, enum event_form form, result_fn *fn,
		       void *arg);
	void *arg; /* of open */
};

enum { INTEGRATIONS = CONFIG_BUILTIN + 1 }; /* by enum config_sort */

#endif
