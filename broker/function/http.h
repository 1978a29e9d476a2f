#ifndef BROKER_FUNCTION_HTTP_H
#define BROKER_FUNCTION_HTTP_H

/*
 * Functions over HTTP: the event is POSTed to a URL. A URL that ends in
 * /2015-03-31/functions/NAME/invocations is Lambda's Invoke, as AWS's images serve it.
 *
 * Responses:
 *   a JSON object with a statusCode   a Lambda proxy result
 *   anything else from 200 to 499     its status and its body, as they are
 *   429                               throttled
 *   1xx, 5xx, X-Amz-Function-Error    the function failed; a 101 would be an upgrade without a request
 *
 * After a failure a connect is retried twice, while there is time for its reply; a message is
 * not, since it may have been handled. A disconnect is retried once, and only if a kept
 * connection was closed: it is redelivered later (broker/events/redelivery.h).
 *
 * Ten failures in a row to reach a function, or to get an answer in time, open its circuit
 * (circuit.h). Errors of the function do not count: one client must not be able to block it
 * for others. A disconnect is never rejected: it waits until the circuit allows a call.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "broker/function/http_client.h"
#include "broker/function/integration.h"

struct http_functions;

/* All of it is borrowed until http_functions_free. */
struct http_functions_uses {
	struct loop *loop;
	struct metrics *metrics;
	struct http_client *client;
	/* Was this process stopped at some time since then (loop_now)? */
	bool (*was_stopped)(void *arg, int64_t since_ms);
	void *arg;
};

/* in_flight: most invocations of one function at a time; disconnects are not limited. */
struct http_functions *http_functions_new(int64_t in_flight,
					  const struct http_functions_uses *uses);

/* After http_client_free, and after its functions are closed: drops invocations in flight. NULL is fine. */
void http_functions_free(struct http_functions *all);

struct integration http_integration(struct http_functions *all);

#endif
