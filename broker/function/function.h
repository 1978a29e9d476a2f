#ifndef BROKER_FUNCTION_FUNCTION_H
#define BROKER_FUNCTION_FUNCTION_H

/*
 * A function, and the integration that runs it: what builtin.c, http.c and lambda.c have in
 * common. An integration is given a call and the form of the event that the function
 * is to get, and says once what came of it.
 */

#include "broker/events/call.h"
#include "config/config.h"

enum result_kind {
	RESULT_OK,        /* it returned */
	RESULT_FAILED,    /* it threw, crashed, or what it returned is no result */
	RESULT_TIMEOUT,   /* it took longer than its timeout */
	RESULT_THROTTLED, /* more invocations wait for it than may */
	RESULT_UNREACHABLE, /* nobody runs it: no worker polls, connection refused, circuit open */
};

/* What came of an invocation. Everything is borrowed until the fn returns. */
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
	const struct call_header *headers;
	size_t n_headers;
};

typedef void result_fn(struct call *c, const struct result *r);

/* Which JSON the function gets. */
enum event_form {
	EVENT_PROXY, /* CONNECT, MESSAGE, DISCONNECT, or the HTTP one: as the call is */
	EVENT_AUTHORIZER, /* the REQUEST authorizer's, of a CONNECT */
};

struct function;

struct integration {
	enum config_sort sort;

	/* Get ready: f->config is there. Returns f->state; NULL after an error line. */
	void *(*open)(struct broker *b, const struct function *f);
	void (*close)(void *state);

	/* c lives until fn was called. May call fn before it returns, so it is the last that its caller does. */
	void (*invoke)(const struct function *f, struct call *c, enum event_form form,
		       result_fn *fn);
};

extern const struct integration integration_builtin;
extern const struct integration integration_http;
extern const struct integration integration_lambda;

struct function {
	const struct config_function *config;
	const struct integration *integration;
	void *state; /* the integration's own */
};

/* ERR_NOTFOUND after an error line when the handler cannot be served. config outlives f. */
must_use enum err function_open(struct broker *b, const struct config_function *config,
				struct function *f);
void function_close(struct function *f); /* one that did not open is fine */

/* The JSON that the call's function gets, one reference; NULL when the edge sent nonsense. For integrations. */
struct blob *function_event(const struct call *c, enum event_form form);

void function_invoke(const struct function *f, struct call *c, enum event_form form,
		     result_fn *fn);

#endif
