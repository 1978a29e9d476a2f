#ifndef BROKER_FUNCTION_HTTP_H
#define BROKER_FUNCTION_HTTP_H

/*
 * Functions that are reached over HTTP: the event is POSTed to a URL. A URL that ends in
 * /2015-03-31/functions/NAME/invocations is Lambda's Invoke, as AWS's images serve it.
 *
 * What comes back:
 *   a JSON object with a statusCode   a Lambda proxy result
 *   anything else from 200 to 499     its status and its body, as they are
 *   429                               throttled
 *   1xx, 5xx, X-Amz-Function-Error    the function failed: 101 would be an upgrade that nobody asked for
 *
 * When it failed, a connect is tried again twice, while there is time for its reply; a
 * message is not, since it may have been done. A disconnect is tried once more, and only
 * when a kept connection had ended: it is redelivered later (broker/events/redelivery.h).
 *
 * A function that cannot be reached, or does not answer in time, is left alone after ten
 * such failures in a row (circuit.h). One that throws is not: it is there, and what one
 * client makes it do must not take it from the others.
 * A disconnect is never turned away: it waits until the function is tried again.
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

/* in_flight: invocations of one function at a time; disconnects come on top. */
struct http_functions *http_functions_new(int64_t in_flight,
					  const struct http_functions_uses *uses);

/* After http_client_free, and its functions are closed: what is under way is forgotten. NULL is fine. */
void http_functions_free(struct http_functions *all);

struct integration http_integration(struct http_functions *all);

#endif
