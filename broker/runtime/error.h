#ifndef BROKER_RUNTIME_ERROR_H
#define BROKER_RUNTIME_ERROR_H

/* A worker's error report, as one line for the log. */

#include "base/span.h"

enum { RUNTIME_ERROR_TEXT = 512 };

/*
 * "TypeError: x is not a function", cut to fit; without the stack trace.
 *
 * body     {"errorType":"…","errorMessage":"…",…}, or anything
 * header   the request's Lambda-Runtime-Function-Error-Type, used when the body has no type; may be empty
 */
void runtime_error_text(struct span body, struct span header,
			char out[RUNTIME_ERROR_TEXT]);

/*
 * Is this the error's whole message? For those that mean something by it, such as
 * "Unauthorized" of an authorizer.
 */
bool runtime_error_is(struct span body, const char *message);

#endif
