/* What there is without a file. */
#include "config/namespaces.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

static const char builtin[] = "builtin:";

/* The function of a builtin handler, made when it is the first to ask. */
static size_t function_of(struct config *c, const char *handler);
static void add_route(struct config *c, const char *key, const char *handler,
		      bool two_way);
static void add_namespace(struct config *c);

/* `ping` is the tutorial's. */
static const char *const actions[] = {"subscribe", "unsubscribe", "publish", "history",
				      "presence"};

struct config *config_builtin(const char *stage, const char *selection,
			      const char *default_handler)
{
	enum { MOST = 11 };
	struct config *c = xcalloc(1, sizeof *c);

	*c = (struct config){
		.service = xstrdup("gatepost"),
		.stage = xstrdup(stage),
		.region = xstrdup(CONFIG_REGION),
		.selection = xstrdup(selection),
		.functions = xcalloc(MOST, sizeof *c->functions),
		.routes = xcalloc(MOST, sizeof *c->routes),
		.http = xcalloc(2, sizeof *c->http),
	};
	add_route(c, "$connect", "builtin:connect", false);
	add_route(c, "$disconnect", "builtin:disconnect", false);
	add_route(c, "$default", default_handler, true);
	add_route(c, "echo", "builtin:echo", true);
	add_route(c, "ping", "builtin:ping", true);
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
		add_route(c, actions[i], "builtin:channels", true);
	add_namespace(c);
	c->http[c->n_http++] = (struct config_http){
		.method = xstrdup("GET"),
		.path = xstrdup("/ping"),
		.function = function_of(c, "builtin:ping"),
	};
	c->http[c->n_http++] = (struct config_http){
		.method = xstrdup("GET"),
		.path = xstrdup("/"),
		.function = function_of(c, "builtin:demo"),
		.is_outside = true,
	};
	return c;
}

static void add_route(struct config *c, const char *key, const char *handler,
		      bool two_way)
{
	c->routes[c->n_routes++] = (struct config_route){
		.key = xstrdup(key),
		.function = function_of(c, handler),
		.two_way = two_way,
		.authorizer = CONFIG_NONE,
	};
}

/* Open to anyone: it is the demo. */
static void add_namespace(struct config *c)
{
	struct config_namespace *ns = xcalloc(1, sizeof *ns);

	*ns = namespaces_default(xstrdup("default"));
	ns->history.size = 100;
	ns->presence.members = true;
	ns->presence.events_ms = NAMESPACE_EVENTS_MS;
	ns->presence.grace_ms = NAMESPACE_GRACE_MS;
	ns->subscribe.rule = ns->publish.rule = CHANNEL_ANYONE;
	c->namespaces = ns;
	c->n_namespaces = 1;
}

static size_t function_of(struct config *c, const char *handler)
{
	assert(strncmp(handler, builtin, strlen(builtin)) == 0);
	for (size_t i = 0; i < c->n_functions; i++)
		if (strcmp(c->functions[i].handler, handler) == 0)
			return i;
	c->functions[c->n_functions] = (struct config_function){
		.name = xstrdup(handler + strlen(builtin)),
		.handler = xstrdup(handler),
		.sort = CONFIG_BUILTIN,
		.timeout_ms = CONFIG_TIMEOUT_MS,
		.memory_mb = CONFIG_MEMORY_MB,
	};
	return c->n_functions++;
}
