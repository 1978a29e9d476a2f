#ifndef BROKER_AUTH_AUTHORIZER_H
#define BROKER_AUTH_AUTHORIZER_H

/*
 * May this caller connect? Asked before $connect, once for each connection: a function
 * of the REQUEST sort, or a JSON Web Token, which is checked here.
 *
 * source  AWS: "Control access to WebSocket APIs with AWS Lambda REQUEST authorizers";
 *         RFC 7519, RFC 7515
 */

#include "broker/function/function.h"

struct authorizer;

/* What became of it; borrowed until the fn returns. */
struct permission {
	int status; /* 200: let it in; 401, 403, 500: the answer to the upgrade */
	const char *message; /* unless 200: "Unauthorized", "Forbidden" */
	const char
		*context; /* 200: JSON object for requestContext.authorizer; NULL: none */
	int64_t expires_ms; /* 200: since 1970, when it ends; 0: never */
};

typedef void authorizer_fn(struct call *c, const struct permission *p);

/*
 * f  REQUEST: the function, which outlives the authorizer; JWT: NULL
 * returns  NULL after an error line (a key file that cannot be read …)
 */
struct authorizer *authorizer_open(struct broker *b,
				   const struct config_authorizer *config,
				   const struct function *f);
void authorizer_close(struct authorizer *a); /* NULL is fine */

/* Call fn once; perhaps before it returns, so it is the last that its caller does. */
void authorizer_ask(const struct authorizer *a, struct call *c, authorizer_fn *fn);

#endif
