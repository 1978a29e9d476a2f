#ifndef BROKER_ROUTE_H
#define BROKER_ROUTE_H

/* Which function serves which route. */

#include "broker/function.h"

struct routes;

/* NULL after an error line when the selection expression is malformed. */
struct routes *routes_new(const struct broker_conf *conf);
void routes_free(struct routes *r); /* NULL is fine */

/* The function of "$connect" or "$disconnect". */
const struct function *route_find(const struct routes *r, const char *key);

/*
 * The function for a message. What is not JSON, or binary, or has no route of its own
 * goes to $default.
 */
const struct function *route_select(const struct routes *r, struct span body,
				    bool binary);

/* The function for a plain request; path is without the stage ("/ping"). NULL: there is none. */
const struct function *route_http(const struct routes *r, struct span method,
				  struct span path);

#endif
