#include "broker/route.h"

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "broker/expression.h"

#include <assert.h>
#include <stdlib.h>

struct route {
	const char *key; /* "$connect", "echo"; of an HTTP route the path */
	const char *handler;
	struct function function;
};

/* What there is without any configuration. */
static const struct route builtin[] = {
	{.key = "$connect", .handler = "builtin:connect"},
	{.key = "$disconnect", .handler = "builtin:disconnect"},
	{.key = "echo", .handler = "builtin:echo"},
	{.key = "ping", .handler = "builtin:ping"},
};
static const struct route builtin_http[] = {
	{.key = "/ping", .handler = "builtin:ping"},
};
/* In the order of the setting's choices. */
static const char *const default_handlers[] = {"builtin:reject", "builtin:echo"};

enum {
	N = sizeof builtin / sizeof *builtin,
	N_HTTP = sizeof builtin_http / sizeof *builtin_http
};

struct routes {
	struct expression *selection;
	struct map *by_key;
	struct route routes[N + 1];
	struct route http[N_HTTP];
};

static void add(struct routes *r, struct route *to, const struct route *from)
{
	*to = *from;

	enum err e = function_find(to->handler, &to->function);

	assert(e == OK); /* the handlers of these tables are built in */
	if (r != NULL)
		map_put(r->by_key, span_str(to->key), to);
}

struct routes *routes_new(const struct broker_conf *conf)
{
	struct route last = {.key = "$default",
			     .handler = default_handlers[conf->default_route]};
	struct routes *r = xcalloc(1, sizeof *r);
	char why[200];

	r->by_key = map_new();
	r->selection = expression_new(conf->selection, why, sizeof why);
	if (r->selection == NULL) {
		log_error("route.selection.malformed", S("expression", conf->selection),
			  S("why", why));
		routes_free(r);
		return NULL;
	}
	for (size_t i = 0; i < N; i++)
		add(r, &r->routes[i], &builtin[i]);
	add(r, &r->routes[N], &last);
	for (size_t i = 0; i < N_HTTP; i++)
		add(NULL, &r->http[i], &builtin_http[i]);
	return r;
}

void routes_free(struct routes *r)
{
	if (r == NULL)
		return;
	expression_free(r->selection);
	map_free(r->by_key);
	free(r);
}

const struct function *route_find(const struct routes *r, const char *key)
{
	struct route *route = map_find(r->by_key, span_str(key));

	return &route->function;
}

const struct function *route_select(const struct routes *r, struct span body, bool binary)
{
	char key[256];
	size_t n;
	struct route *route;

	if (binary || expression_eval(r->selection, body, key, sizeof key, &n) != OK)
		return route_find(r, "$default");
	if (n > 0 && key[0] == '$') /* no client chooses $connect */
		return route_find(r, "$default");
	route = map_find(r->by_key, span_of(key, n));
	return route ? &route->function : route_find(r, "$default");
}

const struct function *route_http(const struct routes *r, struct span method,
				  struct span path)
{
	if (!span_is(method, "GET") && !span_is(method, "HEAD"))
		return NULL;
	for (size_t i = 0; i < N_HTTP; i++)
		if (span_is(path, r->http[i].key))
			return &r->http[i].function;
	return NULL;
}
