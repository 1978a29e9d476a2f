#ifndef BROKER_FUNCTION_LAMBDA_H
#define BROKER_FUNCTION_LAMBDA_H

/*
 * Functions that workers poll for: the Lambda Runtime API (broker/runtime/runtime.h).
 *
 * A function that has the same name and handler in a new configuration keeps its address,
 * so its workers continue. If a worker dies, a connect or a disconnect is given to a second
 * one, once, with the same event and requestId: it was not answered yet. A message is not:
 * its function may have acted on it, and the client gets an error.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "broker/function/integration.h"

struct lambdas;

struct lambdas_conf {
	/*
	 * Where workers poll, "127.0.0.1" or "127.0.0.1:9001"; borrowed. With a port,
	 * functions have that and the ones after it, in their order.
	 */
	const char *address;
	int64_t queue;   /* invocations that may wait for a worker */
	int64_t wait_ms; /* and for how long */
};

/* l and m are borrowed until lambdas_free. */
struct lambdas *lambdas_new(struct loop *l, struct metrics *m,
			    const struct lambdas_conf *conf);
void lambdas_free(struct lambdas *all); /* NULL is fine; its functions are closed */

struct integration lambda_integration(struct lambdas *all);

/* Where the workers of the functions poll: "ping=127.0.0.1:4001,rooms=127.0.0.1:4002"; freed by the caller. */
char *lambdas_addresses(const struct lambdas *all);

/* They may have changed: notify whoever has started this broker, and starts the workers. */
void lambdas_notify(const struct lambdas *all);

#endif
