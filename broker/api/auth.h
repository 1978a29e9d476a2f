#ifndef BROKER_API_AUTH_H
#define BROKER_API_AUTH_H

/*
 * Authentication of requests to the management API: signatures with a key pair (AWS
 * Signature Version 4, in headers or in the query), or shows a bearer token, that the
 * credentials file has; or, only on loopback, none.
 *
 * The workers of functions have keys of their own, in a second file. A request signed with one
 * is verified also where no authentication is required, so that it is known whose it is.
 */

#include "base/loop.h"
#include "http/server.h"

struct auth;

/* In the order of the setting's words. */
enum auth_mode { AUTH_NONE, AUTH_KEYS, AUTH_BEARER, AUTH_BOTH };

enum { AUTH_MESSAGE = 400 };

/* The response to a refused request. */
struct auth_refusal {
	int status;
	const char *type; /* of the exception, as AWS calls it */
	char message[AUTH_MESSAGE];
};

struct auth_conf {
	enum auth_mode mode;
	const char *credentials; /* the file; AUTH_NONE: may be NULL */
	const char *functions;   /* the file with keys of functions; NULL: none */
	const char *region;      /* that a signature must be for; NULL: any */
};

/* NULL after an error line when the credentials file is wrong. conf is copied, its texts outlive the auth. */
struct auth *auth_new(struct loop *l, const struct auth_conf *conf);
void auth_free(struct auth *a); /* NULL is fine; the loop does not run any more */

/* Is authentication off? */
bool auth_is_open(const struct auth *a);

/* Whose request it is. Borrowed until the next turn of the loop. */
struct auth_caller {
	const char *function; /* NULL: not that of a function's worker */
};

/*
 * May this request be served?
 *
 * service  that a signature must be for: "execute-api"; with "dynamodb" the refusals are those
 *          of DynamoDB, all of status 400
 * who      filled on OK
 * out      filled on ERR_DENIED
 */
must_use enum err auth_check(struct auth *a, const struct http_request *q,
			     const char *service, struct auth_caller *who,
			     struct auth_refusal *out);

#endif
