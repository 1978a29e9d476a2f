#include "cli/commands/check_print.h"

#include "cli/client/grid.h"

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

void check_print(const struct config *c, const struct check_info *infos, size_t n,
		 FILE *out)
{
	struct grid g = {0};

	fprintf(out, "%s, stage %s (%s)\n", c->service, c->stage, c->file);
	print_functions(c, out);
	print_routes(c, out);
	print_http(c, out);
	print_authorizers(c, out);
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

	if (c->n_authorizers == 0)
		return;
	fputs("\nAuthorizers\n", out);
	for (size_t i = 0; i < c->n_authorizers; i++) {
		const struct config_authorizer *a = &c->authorizers[i];
		char *from = NULL;

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
