#include "config/builtin_channels.h"

#include "config/channels.h"
#include "config/nearest.h"

#include <string.h>

static const char *const actions[] = {
	"subscribe", "unsubscribe", "publish",  "history",
	"presence",  "ping",        "$default", NULL,
};

static void check_route(struct reading *r, const struct config_route *route);
static void check_other_uses(struct reading *r, size_t function);

void builtin_channels_check(struct reading *r)
{
	const struct config *c = r->config;

	for (size_t i = 0; i < c->n_functions; i++) {
		const struct config_function *f = &c->functions[i];

		if (f->handler == NULL || strcmp(f->handler, "builtin:channels") != 0)
			continue;
		if (c->n_namespaces == 0)
			reading_error(r, (struct place){c->file, f->line, 1}, NULL,
				      "functions.%s: builtin:channels needs "
				      "gatepost.channels, which is missing or empty; "
				      "allowed: channels: { default: {} }",
				      f->name);
		for (size_t k = 0; k < c->n_routes; k++)
			if (c->routes[k].function == i)
				check_route(r, &c->routes[k]);
		check_other_uses(r, i);
	}
}

static void check_route(struct reading *r, const struct config_route *route)
{
	const char *meant;

	for (size_t i = 0; actions[i]; i++)
		if (strcmp(actions[i], route->key) == 0)
			return;
	meant = nearest_name(route->key, actions);
	reading_error(
		r, (struct place){r->config->file, route->line, 1}, NULL,
		"the route %s: builtin:channels has no such action%s%s%s; allowed: "
		"subscribe, unsubscribe, publish, history, presence, ping, $default",
		route->key, meant ? " (did you mean " : "", meant ? meant : "",
		meant ? "?)" : "");
}

/* It is invoked for messages alone. */
static void check_other_uses(struct reading *r, size_t function)
{
	const struct config *c = r->config;
	const struct config_function *f = &c->functions[function];
	const char *use = NULL;

	for (size_t i = 0; i < c->n_http; i++)
		if (c->http[i].function == function)
			use = "an HTTP route";
	for (size_t i = 0; i < c->n_authorizers; i++)
		if (c->authorizers[i].sort == CONFIG_REQUEST &&
		    c->authorizers[i].function == function)
			use = "an authorizer";
	for (size_t i = 0; i < c->n_namespaces; i++) {
		const struct config_namespace *ns = &c->namespaces[i];

		if ((ns->subscribe.rule == CHANNEL_FUNCTION &&
		     ns->subscribe.function == function) ||
		    (ns->publish.rule == CHANNEL_FUNCTION &&
		     ns->publish.function == function) ||
		    ns->hook == (int)function)
			use = "a rule or an event of channels";
	}
	if (use)
		reading_error(r, (struct place){c->file, f->line, 1}, NULL,
			      "functions.%s: builtin:channels cannot serve %s; allowed: "
			      "websocket routes",
			      f->name, use);
}
