#ifndef BROKER_FUNCTION_H
#define BROKER_FUNCTION_H

/* A function, and the integration that runs it. */

#include "broker/call.h"

/* What a function returned, in API Gateway's terms. Spans are borrowed. */
struct result {
	int status;
	struct span body;
	bool binary; /* the body is no text */
};

/* Called once for each invocation; r is borrowed. */
typedef void result_fn(struct call *c, const struct result *r);

struct function;

/* How functions of one sort are run; each in its own integration_*.c. */
struct integration {
	const char *prefix; /* of the handlers that it runs: "builtin:" */

	/* May call fn before it returns: so it is the last that its caller does. */
	void (*invoke)(const struct function *f, struct call *c, result_fn *fn);

	/* Does it know the handler's rest, such as "echo"? */
	bool (*knows)(const char *name);
};

extern const struct integration integration_builtin;

struct function {
	const struct integration *integration;
	const char *name; /* the handler without the prefix */
};

/* handler: "builtin:echo". ERR_NOTFOUND when no integration knows it. name points into handler. */
must_use enum err function_find(const char *handler, struct function *out);

void function_invoke(const struct function *f, struct call *c, result_fn *fn);

#endif
