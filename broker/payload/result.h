#ifndef BROKER_PAYLOAD_RESULT_H
#define BROKER_PAYLOAD_RESULT_H

/* The result of an invocation, for all integrations. */

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

enum result_kind {
	RESULT_OK,     /* it returned */
	RESULT_FAILED, /* it threw, crashed, or returned something that is not a result */
	RESULT_TIMEOUT,     /* it took longer than its timeout */
	RESULT_THROTTLED,   /* too many invocations wait for it */
	RESULT_UNREACHABLE, /* no worker polls, connection refused, or circuit open */
};

struct result_header {
	const char *name, *value;
};

/* Everything is borrowed until the result_fn returns. */
struct result {
	enum result_kind kind;
	const char *why; /* unless OK: a sentence for the log */
	/* OK: the JSON text that the function returned; none from a builtin. FAILED: the
	 * error's JSON, when the function threw one */
	struct span payload;
	int status; /* statusCode; 200 when the function gave none */
	bool has_body;
	bool binary; /* the body was base64, and the bytes are no text */
	struct span body;
	const struct result_header *headers;
	size_t n_headers;
	/* JSON as the function wrote it, of a kind that JSON_OF_FUNCTION allows; empty: not there */
	struct span channels;           /* CONNECT: a list */
	struct span subscribe, publish; /* MESSAGE: lists */
	struct span data;               /* of a CHANNEL event */
	struct span user;               /* CONNECT: text; empty: not there */
};

typedef void result_fn(void *arg, const struct result *r);

#endif
