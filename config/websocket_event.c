#include "config/websocket_event.h"

#include "config/authorizers.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROUTES = 10000, MOST_KEY = 128 /* bytes, as on AWS */ };

static void read_keys(struct reading *r, const struct value *v,
		      struct config_route *route);
static void read_two_way(struct reading *r, const struct value *v,
			 struct config_route *route);
static void read_concurrency(struct reading *r, const struct value *v,
			     struct config_route *route);
static void check_key(struct reading *r, const struct value *v, const char *key);
static void add(struct reading *r, const struct value *v, struct config_route route);

void websocket_event_read(struct reading *r, size_t function, const struct value *v)
{
	struct config_route route = {
		.function = function,
		.authorizer = CONFIG_NONE,
		.line = v->node->at.line,
	};

	if (v->node->kind == NODE_TEXT && !node_is_null(v->node))
		value_text(r, v, &route.key);
	else if (value_is(r, v, NODE_MAP, "a route, or a mapping with route"))
		read_keys(r, v, &route);
	if (route.key == NULL)
		return;
	check_key(r, v, route.key);
	add(r, v, route);
}

static void read_keys(struct reading *r, const struct value *v,
		      struct config_route *route)
{
	static const char *const names[] = {
		"route", "routeResponseSelectionExpression", "authorizer", "concurrency",
		NULL,
	};
	struct value key, authorizer;

	value_refuse_others(r, v, names);
	if (!value_get(r, v, "route", &key)) {
		reading_error(
			r, v->node->at, &v->key,
			"route is missing; allowed: $connect, $disconnect, $default, "
			"or a name of your own");
		return;
	}
	if (!value_text(r, &key, &route->key))
		return;
	read_two_way(r, v, route);
	read_concurrency(r, v, route);
	if (!value_get(r, v, "authorizer", &authorizer))
		return;
	if (strcmp(route->key, "$connect") == 0)
		route->authorizer = authorizers_read(r, &authorizer);
	else
		reading_error(r, authorizer.node->at, &authorizer.key,
			      "the route is %s; allowed: on $connect alone", route->key);
}

static void read_two_way(struct reading *r, const struct value *v,
			 struct config_route *route)
{
	struct value expression;
	const char *text;

	if (!value_get(r, v, "routeResponseSelectionExpression", &expression) ||
	    (text = value_peek(r, &expression)) == NULL)
		return;
	route->two_way = true;
	if (strcmp(text, "$default") != 0)
		reading_error(r, expression.node->at, &expression.key,
			      "\"%s\"; allowed: $default", text);
}

static void read_concurrency(struct reading *r, const struct value *v,
			     struct config_route *route)
{
	struct value concurrency;
	const char *text;

	if (!value_get(r, v, "concurrency", &concurrency) ||
	    (text = value_peek(r, &concurrency)) == NULL)
		return;
	route->parallel = strcmp(text, "parallel") == 0;
	if (!route->parallel && strcmp(text, "serial") != 0)
		reading_error(r, concurrency.node->at, &concurrency.key,
			      "\"%s\"; allowed: serial or parallel", text);
	else if (route->parallel && (strcmp(route->key, "$connect") == 0 ||
				     strcmp(route->key, "$disconnect") == 0))
		reading_error(r, concurrency.node->at, &concurrency.key,
			      "%s is the first or last event of its connection; allowed: "
			      "serial",
			      route->key);
}

static void check_key(struct reading *r, const struct value *v, const char *key)
{
	if (key[0] == '$' && strcmp(key, "$connect") != 0 &&
	    strcmp(key, "$disconnect") != 0 && strcmp(key, "$default") != 0)
		reading_error(r, v->node->at, &v->key,
			      "the route \"%s\": of those with a $ allowed: $connect, "
			      "$disconnect, $default",
			      key);
	if (strlen(key) > MOST_KEY)
		reading_error(r, v->node->at, &v->key,
			      "the route has %zu bytes; allowed: 1 to 128", strlen(key));
}

/* Takes what route owns. */
static void add(struct reading *r, const struct value *v, struct config_route route)
{
	struct config *c = r->config;

	for (size_t i = 0; i < c->n_routes; i++) {
		struct config_route *old = &c->routes[i];

		if (strcmp(old->key, route.key) != 0)
			continue;
		reading_info(
			r, v->node->at, &v->key,
			"the route %s is that of %s in line %d too: this one counts, "
			"since it is the last",
			route.key, r->drafts[old->function].value.key.name, old->line);
		free(old->key);
		*old = route;
		return;
	}
	if (c->n_routes == MOST_ROUTES) {
		reading_error(r, v->node->at, &v->key, "more than 10,000 routes");
		free(route.key);
		return;
	}
	c->routes = xrealloc(c->routes, (c->n_routes + 1) * sizeof *c->routes);
	c->routes[c->n_routes++] = route;
}
