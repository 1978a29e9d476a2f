#ifndef BROKER_RUNTIME_RUNTIME_H
#define BROKER_RUNTIME_RUNTIME_H

/*
 * One function under AWS's Lambda Runtime API: its workers are processes that poll for
 * an invocation, run it, and post what came of it. As many run as poll.
 *
 *   WAITING --a worker polls--> RUNNING --it answers, is late, or dies--> over
 *      '---no worker polls for too long------------------------------------>'
 *
 * Clients share the workers fairly (shares.h): one in four, but one at the least of two or more, is
 * for clients for whom none runs; and half of the queue for clients that have nothing else here.
 * An invocation goes to the worker that has waited longest. A worker never has two: it
 * gets its next one after it has answered, or was late (what it answers then is refused
 * and dropped). A worker is known by its connection; when that closes before the answer
 * is here whole, it has died.
 *
 * source  AWS: "Using the Lambda runtime API for custom runtimes" (2018-06-01)
 */

#include "base/blob.h"
#include "base/loop.h"
#include "base/metric.h"
#include "broker/payload/result.h"

struct runtime;

struct runtime_conf {
	const char *function; /* its name, for logs and metrics */
	const char *address;  /* where workers poll, "127.0.0.1:0" */
	int64_t queue;        /* invocations that may wait for a worker */
	int64_t wait_ms;      /* and for how long */
};

/* The texts are copied. */
struct runtime_request {
	const char *id; /* of the event, to 63 characters; the same for the same event */
	struct span client; /* the client of the event, up to 16 bytes */
	const char *arn;    /* of the function */
	struct blob *event; /* JSON */
	int64_t timeout_ms; /* from when a worker has it */
	bool again;         /* a second worker may have it when the first dies of it */
};

/* What came of it, once. Its payload is what the function returned; when it threw: the error's JSON. */
typedef void runtime_fn(void *arg, const struct result *r);

/* NULL after an error line when the address cannot be bound. */
struct runtime *runtime_new(struct loop *l, struct metrics *m,
			    const struct runtime_conf *conf);

/* Calls no fn any more. From inside fn is fine, and so is NULL. */
void runtime_free(struct runtime *r);

/* "127.0.0.1:40123", what workers have in AWS_LAMBDA_RUNTIME_API; lives as long as r. */
const char *runtime_address(const struct runtime *r);

/* Takes the reference to the event. May call fn before it returns. */
void runtime_invoke(struct runtime *r, const struct runtime_request *q, runtime_fn *fn,
		    void *arg);

#endif
