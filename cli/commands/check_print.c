#include "cli/commands/check_print.h"

#include "cli/client/grid.h"
#include "config/channel_access.h"
#include "config/units.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The default address of `gatepost up`. */
#define HOST "127.0.0.1:8080"

static void print_functions(const struct config *c, FILE *out);
static void print_routes(const struct config *c, FILE *out);
static void print_http(const struct config *c, FILE *out);
static void print_authorizers(const struct config *c, FILE *out);
static void print_namespaces(const struct config *c, FILE *out);
static void print_tables(const struct config *c, FILE *out);

void check_print(const struct config *c, const struct check_info *infos, size_t n,
		 FILE *out)
{
	struct grid g = {0};

	fprintf(out, "%s, stage %s (%s)\n", c->service, c->stage, c->file);
	print_functions(c, out);
	print_routes(c, out);
	print_http(c, out);
	print_authorizers(c, out);
	print_namespaces(c, out);
	print_tables(c, out);
	if (c->lenient_json || c->context || c->binary)
		fprintf(out, "\nSettings%s%s%s\n",
			c->lenient_json ? "  json: lenient" : "",
			c->context ? "  context: true" : "",
			c->binary ? "  binary: true" : "");
	if (n > 0)
		fputs("\nNotes\n", out);
	for (size_t i = 0; i < n; i++)
		grid_add(&g, (const char *[GRID_COLUMNS]){infos[i].at, infos[i].text});
	grid_print(&g, out);
}

/* ---- functions */

/* list, with one more word. Takes list. */
static char *enlist(char *list, const char *word, const char *more)
{
	char *longer =
		xasprintf("%s%s%s%s", list ? list : "", list ? ", " : "", word, more);

	free(list);
	return longer;
}

/* Is it invoked for channels of ns? */
static bool is_of_namespace(const struct config_namespace *ns, size_t function)
{
	return ns->hook == (int)function ||
	       (ns->subscribe.rule == CHANNEL_FUNCTION &&
		ns->subscribe.function == function) ||
	       (ns->publish.rule == CHANNEL_FUNCTION && ns->publish.function == function);
}

/* What it serves: "$connect, say, GET /ping". */
static char *served_by(const struct config *c, size_t function)
{
	char *list = NULL;

	for (size_t i = 0; i < c->n_routes; i++)
		if (c->routes[i].function == function)
			list = enlist(list, c->routes[i].key, "");
	for (size_t i = 0; i < c->n_http; i++)
		if (c->http[i].function == function) {
			char *method = xasprintf("%s ", c->http[i].method);

			list = enlist(list, method, c->http[i].path);
			free(method);
		}
	for (size_t i = 0; i < c->n_authorizers; i++)
		if (c->authorizers[i].sort == CONFIG_REQUEST &&
		    c->authorizers[i].function == function)
			list = enlist(list, "authorizer", "");
	for (size_t i = 0; i < c->n_namespaces; i++)
		if (is_of_namespace(&c->namespaces[i], function))
			list = enlist(list, "channels of ", c->namespaces[i].name);
	return list ? list : xstrdup("");
}

static const char *sort_name(enum config_sort sort)
{
	switch (sort) {
	case CONFIG_LAMBDA: return "lambda";
	case CONFIG_HTTP: return "http";
	case CONFIG_BUILTIN: return "builtin";
	}
	return "";
}

static void add_function(const struct config *c, size_t i, struct grid *g)
{
	const struct config_function *f = &c->functions[i];
	char *served = served_by(c, i);
	char *timeout = xasprintf("%" PRId64 " s", f->timeout_ms / 1000);
	char *runtime = f->sort == CONFIG_LAMBDA
				? xasprintf("%s, %" PRId64 " worker%s", f->runtime,
					    f->workers, f->workers == 1 ? "" : "s")
				: xstrdup("");

	grid_add(g, (const char *[GRID_COLUMNS]){f->name, sort_name(f->sort), f->handler,
						 runtime, timeout, served});
	free(runtime);
	free(timeout);
	free(served);
}

static void print_functions(const struct config *c, FILE *out)
{
	struct grid g = {0};

	fputs("\nFunctions\n", out);
	for (size_t i = 0; i < c->n_functions; i++)
		add_function(c, i, &g);
	grid_print(&g, out);
}

/* ---- routes */

static void print_routes(const struct config *c, FILE *out)
{
	struct grid g = {0};

	if (c->n_routes == 0)
		return;
	fprintf(out, "\nWebSocket routes  ws://" HOST "/%s  by %s\n", c->stage,
		c->selection);
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct config_route *t = &c->routes[i];
		char *how = xasprintf("%s%s", t->two_way ? "two-way" : "one-way",
				      t->parallel ? ", parallel" : "");
		char *who = t->authorizer == CONFIG_NONE
				    ? xstrdup("")
				    : xasprintf("authorizer %s",
						c->authorizers[t->authorizer].name);

		grid_add(&g, (const char *[GRID_COLUMNS]){
				     t->key, c->functions[t->function].name, how, who});
		free(how);
		free(who);
	}
	grid_print(&g, out);
}

static void print_http(const struct config *c, FILE *out)
{
	struct grid g = {0};

	if (c->n_http == 0)
		return;
	fputs("\nHTTP routes\n", out);
	for (size_t i = 0; i < c->n_http; i++) {
		const struct config_http *h = &c->http[i];
		char *url = xasprintf("http://" HOST "/%s%s", c->stage, h->path);

		grid_add(&g, (const char *[GRID_COLUMNS]){
				     strcmp(h->method, "*") == 0 ? "any" : h->method, url,
				     c->functions[h->function].name,
				     h->is_v2 ? "payload 2.0" : ""});
		free(url);
	}
	grid_print(&g, out);
}

static void print_authorizers(const struct config *c, FILE *out)
{
	struct grid g = {0};
	size_t listed = 0;

	for (size_t i = 0; i < c->n_authorizers; i++)
		listed += !c->authorizers[i].of_namespace;
	if (listed == 0)
		return;
	fputs("\nAuthorizers\n", out);
	for (size_t i = 0; i < c->n_authorizers; i++) {
		const struct config_authorizer *a = &c->authorizers[i];
		char *from = NULL;

		if (a->of_namespace)
			continue;
		for (size_t k = 0; k < a->n_identity; k++)
			from = enlist(from, a->identity[k], "");
		grid_add(&g, (const char *[GRID_COLUMNS]){
				     a->name,
				     a->sort == CONFIG_JWT ? a->algorithm : "function",
				     from ? from : "no identity source",
				     a->issuer ? a->issuer : "",
				     a->audience ? a->audience : ""});
		free(from);
	}
	grid_print(&g, out);
}

/* ---- channels */

/* "1000 messages, 10m, 4MiB" */
static char *history_text(const struct config_namespace *ns)
{
	char *ttl = units_time_text(ns->history.ttl_ms);
	char *bytes = units_size_text(ns->history.bytes);
	char *text = xasprintf("history %" PRId64 " messages, %s, %s", ns->history.size,
			       ttl, bytes);

	free(ttl);
	free(bytes);
	return text;
}

static void print_namespaces(const struct config *c, FILE *out)
{
	struct grid g = {0};

	if (c->n_namespaces == 0)
		return;
	fputs("\nNamespaces of channels\n", out);
	for (size_t i = 0; i < c->n_namespaces; i++) {
		const struct config_namespace *ns = &c->namespaces[i];
		char *subscribe = channel_access_text(c, &ns->subscribe);
		char *publish = channel_access_text(c, &ns->publish);
		char *may_subscribe = xasprintf("subscribe %s", subscribe);
		char *may_publish = xasprintf("publish %s", publish);
		char *history =
			ns->history.size ? history_text(ns) : xstrdup("no history");

		grid_add(&g, (const char *[GRID_COLUMNS]){
				     ns->name, may_subscribe, may_publish, history,
				     ns->presence.members ? "presence" : "no presence",
				     ns->format == CHANNEL_RAW ? "raw" : ""});
		free(subscribe);
		free(publish);
		free(may_subscribe);
		free(may_publish);
		free(history);
	}
	grid_print(&g, out);
}

/* ---- tables */

static void print_tables(const struct config *c, FILE *out)
{
	struct grid g = {0};

	if (c->n_tables > 0)
		fputs("\nTables\n", out);
	for (size_t i = 0; i < c->n_tables; i++)
		grid_add(&g, (const char *[GRID_COLUMNS]){c->tables[i].name});
	grid_print(&g, out);
}
