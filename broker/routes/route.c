#include "broker/routes/route.h"

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "broker/routes/expression.h"
#include "broker/function/builtin.h"
#include "json/walk.h"
#include "http/path.h"

#include <stdlib.h>

struct routes {
	unsigned refs;
	struct config *config;
	struct event_setting setting;
	struct expression *selection;
	struct function *functions;
	struct authorizer **authorizers;
	struct route *routes;
	struct route_http *http;
	struct map *by_key;
	bool has_channels; /* some route is one of builtin:channels */
};

static bool open_all(const struct routes_uses *uses, struct routes *r);

struct routes *routes_new(const struct routes_uses *uses, struct config *config)
{
	struct routes *r = xcalloc(1, sizeof *r);
	char why[200];

	r->refs = 1;
	r->config = config;
	r->setting = (struct event_setting){
		.stage = config->stage,
		.api_id = uses->api_id,
		.account = uses->account,
		.region = config->region,
		.service = config->service,
		.context = config->context,
	};
	r->by_key = map_new();
	r->functions = xcalloc(config->n_functions + 1, sizeof *r->functions);
	r->authorizers = xcalloc(config->n_authorizers + 1, sizeof(struct authorizer *));
	r->routes = xcalloc(config->n_routes + 1, sizeof *r->routes);
	r->http = xcalloc(config->n_http + 1, sizeof *r->http);
	r->selection = expression_new(config->selection, why, sizeof why);
	if (r->selection == NULL)
		log_error("route.selection.malformed", S("expression", config->selection),
			  S("why", why));
	if (r->selection != NULL && config->lenient_json)
		expression_be_lenient(r->selection);
	if (r->selection == NULL || !open_all(uses, r)) {
		routes_unref(r);
		return NULL;
	}
	return r;
}

static bool open_authorizers(struct loop *l, struct routes *r)
{
	const struct config *config = r->config;

	for (size_t i = 0; i < config->n_authorizers; i++) {
		const struct config_authorizer *a = &config->authorizers[i];
		const struct function *f =
			a->sort == CONFIG_REQUEST ? &r->functions[a->function] : NULL;

		r->authorizers[i] = authorizer_open(l, a, f);
		if (r->authorizers[i] == NULL)
			return false;
	}
	return true;
}

static bool open_all(const struct routes_uses *uses, struct routes *r)
{
	const struct config *config = r->config;

	for (size_t i = 0; i < config->n_functions; i++)
		if (function_open(uses->integrations, &config->functions[i],
				  &r->functions[i]) != OK)
			return false;
	if (!open_authorizers(uses->loop, r))
		return false;
	for (size_t i = 0; i < config->n_routes; i++) {
		const struct config_route *c = &config->routes[i];

		r->routes[i] = (struct route){
			.config = c,
			.function = &r->functions[c->function],
			.authorizer = c->authorizer == CONFIG_NONE
					      ? NULL
					      : r->authorizers[c->authorizer],
			.event = {.key = c->key,
				  .function = config->functions[c->function].name,
				  .two_way = c->two_way},
			.is_channels = strcmp(config->functions[c->function].handler,
					      BUILTIN_CHANNELS) == 0,
		};
		r->has_channels |= r->routes[i].is_channels;
		map_put(r->by_key, span_str(c->key), &r->routes[i]);
	}
	for (size_t i = 0; i < config->n_http; i++) {
		const struct config_http *c = &config->http[i];

		char *key = xasprintf("%s %s", c->method, c->path);

		r->http[i] = (struct route_http){
			.config = c,
			.function = &r->functions[c->function],
			.key = key,
			.event = {.key = key,
				  .function = config->functions[c->function].name,
				  .resource = c->path,
				  .is_v2 = c->is_v2},
		};
	}
	return true;
}

struct routes *routes_ref(struct routes *r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void routes_unref(struct routes *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	for (size_t i = 0; i < r->config->n_authorizers; i++)
		authorizer_close(r->authorizers[i]);
	for (size_t i = 0; i < r->config->n_functions; i++)
		function_close(&r->functions[i]);
	for (size_t i = 0; i < r->config->n_http; i++)
		free(r->http[i].key);
	expression_free(r->selection);
	map_free(r->by_key);
	free(r->functions);
	free(r->authorizers);
	free(r->routes);
	free(r->http);
	config_free(r->config);
	free(r);
}

const struct config *routes_config(const struct routes *r)
{
	return r->config;
}

const struct event_setting *routes_setting(const struct routes *r)
{
	return &r->setting;
}

const struct route *routes_connect(const struct routes *r)
{
	return route_find(r, span_str("$connect"));
}

const struct route *routes_disconnect(const struct routes *r)
{
	return route_find(r, span_str("$disconnect"));
}

const struct route *route_find(const struct routes *r, struct span key)
{
	return map_find(r->by_key, key);
}

const struct function *routes_function(const struct routes *r, size_t index)
{
	return &r->functions[index];
}

const struct authorizer *routes_authorizer(const struct routes *r, size_t index)
{
	return r->authorizers[index];
}

static const struct route *evaluate(const struct routes *r, struct span text, char *key,
				    size_t *n, enum err *e)
{
	*n = 0;
	*e = expression_eval(r->selection, text, key, ROUTE_KEY_MOST, n);
	if (*e != OK || *n == 0 || key[0] == '$') /* no client chooses $connect */
		return NULL;
	return route_find(r, span_of(key, *n));
}

const struct route *route_of(const struct routes *r, struct span text, char *key,
			     size_t *n)
{
	enum err e;

	return evaluate(r, text, key, n, &e);
}

static bool is_array(struct span body)
{
	struct span s = span_trim(body);

	return s.n > 0 && *s.p == '[';
}

/* The first element that builtin:channels handles decides. */
static const struct route *of_elements(const struct routes *r, struct span body)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value all, v;
	struct json_walk w;
	struct span name;

	if (json_find(body, &whole, &all) != OK || all.kind != JSON_IS_ARRAY)
		return NULL;
	w = json_walk(&all);
	while (json_walk_next(&w, &name, &v)) {
		char key[ROUTE_KEY_MOST];
		size_t n;
		const struct route *own = route_of(r, v.raw, key, &n);

		if (own != NULL && own->is_channels)
			return own;
	}
	return NULL;
}

const struct route *route_select(const struct routes *r, struct span body, bool binary,
				 bool *too_big)
{
	const struct route *own = NULL;
	char key[ROUTE_KEY_MOST];
	enum err e = OK;
	size_t n;

	if (!binary)
		own = evaluate(r, body, key, &n, &e);
	if (own == NULL && r->has_channels && !binary && is_array(body))
		own = of_elements(r, body);
	*too_big = e == ERR_TOOBIG && own == NULL;
	return own != NULL ? own : route_find(r, span_str("$default"));
}

static char *explain_json(const struct json_report *report, enum err e)
{
	if (e == ERR_TOOBIG)
		return xasprintf("JSON with more than %zu levels, at byte %zu",
				 json_depth(), report->at);
	return xasprintf("not JSON: at byte %zu %s was expected", report->at,
			 report->expected);
}

char *route_explain(const struct routes *r, struct span body, bool binary)
{
	static const struct json_path whole = {NULL, 0};
	unsigned flags = r->config->lenient_json ? JSON_BARE_KEYS : 0;
	struct json_report report;
	struct json_value v;
	char key[ROUTE_KEY_MOST];
	size_t n = 0;
	enum err e;

	if (binary)
		return xstrdup("a binary message");
	if (expression_eval(r->selection, body, key, sizeof key, &n) == OK)
		return xasprintf("no route \"%.*s\"", (int)n, key);
	e = json_read(body, &whole, flags, &v, &report);
	if (e != OK)
		return explain_json(&report, e);
	return xasprintf("a route key of more than %d bytes, or with half of a surrogate "
			 "pair",
			 ROUTE_KEY_MOST);
}

/* The most specific path wins, then the route that names the method: as in API Gateway. */
static const struct route_http *best_http(const struct routes *r, struct span method,
					  struct span path, bool is_outside)
{
	const struct route_http *best = NULL;
	int best_rank = 0;

	for (size_t i = 0; i < r->config->n_http; i++) {
		const struct route_http *h = &r->http[i];
		bool any = strcmp(h->config->method, "*") == 0;
		int rank = path_rank(h->config->path, path);

		if (h->config->is_outside != is_outside)
			continue;
		if (!any && !span_is(method, h->config->method) &&
		    !(span_is(method, "HEAD") && strcmp(h->config->method, "GET") == 0))
			continue;
		if (rank > 0)
			rank = 2 * rank + !any;
		if (rank > best_rank) {
			best = h;
			best_rank = rank;
		}
	}
	return best;
}

const struct route_http *route_http(const struct routes *r, struct span method,
				    struct span path)
{
	return best_http(r, method, path, false);
}

const struct route_http *route_http_outside(const struct routes *r, struct span method,
					    struct span path)
{
	return best_http(r, method, path, true);
}
