#ifndef BROKER_ROUTES_ROUTE_H
#define BROKER_ROUTES_ROUTE_H

/*
 * Which function serves which route: one configuration, ready for use. It does not
 * change; a reload makes a new one, and calls keep the one that they started with.
 */

#include "broker/auth/authorizer.h"

struct routes;

struct route {
	const struct config_route *config;
	const struct function *function;
	struct authorizer *authorizer; /* of $connect; NULL: none */
	bool is_channels;              /* builtin:channels handles its messages */
	struct event_route event;
};

struct route_http {
	const struct config_http *config;
	const struct function *function;
	char *key; /* "GET /users/{id}" */
	struct event_route event;
};

/* What routes work with; all of it is borrowed for as long as there are some. */
struct routes_uses {
	struct loop *loop;
	const struct integration *integrations; /* INTEGRATIONS of them */
	const char *api_id, *account;           /* of events */
};

/* Open all functions of config. Takes config, whatever it returns. NULL after error lines. */
struct routes *routes_new(const struct routes_uses *uses, struct config *config);
struct routes *routes_ref(struct routes *r); /* returns r; NULL is fine */
void routes_unref(struct routes *r);         /* NULL is fine */

const struct config *routes_config(const struct routes *r);

/* For the events of all routes. */
const struct event_setting *routes_setting(const struct routes *r);

/* The routes of $connect and $disconnect; NULL: there is none. */
const struct route *routes_connect(const struct routes *r);
const struct route *routes_disconnect(const struct routes *r);

/* The route of this key; NULL: there is none. */
const struct route *route_find(const struct routes *r, struct span key);

/*
 * The route of a message. What is not JSON, or binary, or has no route of its own goes
 * to $default. NULL: there is none.
 *
 * An array of which an element has a route of builtin:channels takes the first such route.
 *
 * too_big  whether it has no route of its own since it is nested deeper than
 *          json_depth(), or its route key has more than 256 bytes
 */
const struct route *route_select(const struct routes *r, struct span body, bool binary,
				 bool *too_big);

/*
 * The route of its own that JSON text has, by the selection expression; NULL: none. key: ROUTE_KEY_MOST
 * bytes, for its route key, of which n are filled, whether or not there is such a route.
 */
enum { ROUTE_KEY_MOST = 256 };
const struct route *route_of(const struct routes *r, struct span text, char *key,
			     size_t *n);

/* One of the configuration's, by its index. */
const struct function *routes_function(const struct routes *r, size_t index);
const struct authorizer *routes_authorizer(const struct routes *r, size_t index);

/* Why a message has no route of its own: a sentence for the log, freed by the caller. Reads body again. */
char *route_explain(const struct routes *r, struct span body, bool binary);

/* The route of a plain request; path is without the stage ("/ping"). NULL: there is none. */
const struct route_http *route_http(const struct routes *r, struct span method,
				    struct span path);

/* The same of a whole path, outside of the stage. */
const struct route_http *route_http_outside(const struct routes *r, struct span method,
					    struct span path);

#endif
