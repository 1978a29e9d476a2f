#ifndef BROKER_FUNCTION_FUNCTION_H
#define BROKER_FUNCTION_FUNCTION_H

/* A function of the configuration, ready to be invoked by the integration of its sort. */

#include "base/err.h"
#include "broker/function/integration.h"

struct function {
	const struct config_function *config;
	const struct integration *integration;
	void *state; /* the integration's own */
};

/*
 * all      INTEGRATIONS of them, by sort; they outlive f, as config does
 * returns  ERR_NOTFOUND after an error line when the handler cannot be served
 */
must_use enum err function_open(const struct integration *all,
				const struct config_function *config, struct function *f);
void function_close(struct function *f); /* one that did not open is fine */

/* As the integration's invoke (integration.h). */
void function_invoke(const struct function *f, const struct invocation *in,
		     enum event_form form, result_fn *fn, void *arg);

#endif
