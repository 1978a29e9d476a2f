#ifndef BROKER_AUTH_AUTHORIZER_H
#define BROKER_AUTH_AUTHORIZER_H

/*
 * May this caller connect? Asked before $connect, once for each connection: a function
 * of the REQUEST sort, or a JSON Web Token, which is checked here.
 *
 * source  AWS: "Control access to WebSocket APIs with AWS Lambda REQUEST authorizers";
 *         RFC 7519, RFC 7515
 */

#include "base/loop.h"
#include "broker/function/function.h"

struct authorizer;
struct token_claims; /* token.h */

/* The result; borrowed until the fn returns. */
struct permission {
	int status; /* 200: accept the connection; 401, 403, 500: the answer to the upgrade */
	const char *message; /* unless 200: "Unauthorized", "Forbidden" */
	const char
		*context; /* 200: JSON object for requestContext.authorizer; NULL: none */
	int64_t expires_ms; /* 200: since 1970, when it ends; 0: never */
	bool bearer; /* 200: the token came as a subprotocol, so that the 101 chooses "bearer" */
};

typedef void authorizer_fn(void *arg, const struct permission *p);

/*
 * l  borrowed until authorizer_close, as config is
 * f  REQUEST: the function, which outlives the authorizer; JWT: NULL
 * returns  NULL after an error line (a key file that cannot be read …)
 */
struct authorizer *authorizer_open(struct loop *l, const struct config_authorizer *config,
				   const struct function *f);

/* From inside the last fn, or when no function calls back any more. NULL is fine. */
void authorizer_close(struct authorizer *a);

/*
 * May the caller of this CONNECT connect? in lives until fn was called. Calls fn once,
 * perhaps before it returns: the caller must do nothing after it.
 */
void authorizer_ask(struct authorizer *a, const struct invocation *in, authorizer_fn *fn,
		    void *arg);

/* JWT: check a token that did not come with an upgrade, as token_check does. */
must_use enum err authorizer_check_token(const struct authorizer *a, struct span token,
					 int64_t now_ms, struct token_claims *out,
					 const char **why);

#endif
