/*
 *   list_edges        GET /edges
 *   wanted            how many of an edge's connections are to be closed
 *   shed_from         POST /edges/{edge}/shed
 */
#include "cli/commands/shed.h"

#include "base/mem.h"
#include "cli/client/api_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 2, PERCENT = 100 };

struct shed_conf {
	struct api_conf api;
	bool to_average;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct shed_conf, api),
	CONF_BOOL(struct shed_conf, to_average, "to-average", "false",
		  "close on each edge what it has more than the average of all"),
};

static const struct conf_table table = {
	"gatepost shed",
	"List the edges with their connections, or close some of them, so that their "
	"clients\nreconnect to other edges:\n\n"
	"  gatepost shed\n"
	"  gatepost shed EDGE N\n"
	"  gatepost shed EDGE P%\n"
	"  gatepost shed --to-average\n\n"
	"The edge closes them in random order, --drain-rate a second, as when it "
	"drains.\n"
	"Exit status: 0; 3 no such edge, 4 not allowed, 5 retry later, 2 bad usage, 1 "
	"other\n"
	"errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

/* What is asked for. Without an edge: all of them. */
struct order {
	const char *edge;
	int64_t n; /* connections, or percent */
	bool is_percent;
};

/* "10" or "5%" */
static bool read_amount(const char *text, struct order *o)
{
	char *end;
	long n = strtol(text, &end, 10);

	o->is_percent = strcmp(end, "%") == 0;
	o->n = n;
	return text[0] >= '0' && text[0] <= '9' && (*end == '\0' || o->is_percent) &&
	       n >= 1 && n <= (o->is_percent ? PERCENT : 4000000);
}

static enum api_exit shed_from(const struct shed_conf *conf, const char *edge, int64_t n)
{
	char *part = api_encode(edge);
	char *path = xasprintf("/edges/%s/shed?connections=%lld", part, (long long)n);
	struct api_request r = {.method = "POST", .path = path};
	json_t *out;
	enum api_exit x = api_json(&conf->api, table.program, &r, &out);

	if (x == API_DONE)
		printf("%s closes %lld of %lld connections\n", edge,
		       (long long)json_integer_value(json_object_get(out, "closing")),
		       (long long)json_integer_value(
			       json_object_get(out, "connections")));
	json_decref(out);
	free(path);
	free(part);
	return x;
}

static int64_t connections_of(const json_t *edge)
{
	return json_integer_value(json_object_get(edge, "connections"));
}

/* Rounded up, so that an edge with one more than others keeps it. */
static int64_t average_of(const json_t *edges)
{
	int64_t sum = 0, n = (int64_t)json_array_size(edges);
	const json_t *edge;
	size_t i;

	json_array_foreach (edges, i, edge)
		sum += connections_of(edge);
	return n > 0 ? (sum + n - 1) / n : 0;
}

static int64_t wanted(const struct shed_conf *conf, const struct order *o,
		      const json_t *edge, int64_t average)
{
	int64_t n = connections_of(edge);

	if (conf->to_average)
		return n > average ? n - average : 0;
	if (o->edge == NULL || strcmp(api_json_text(edge, "name"), o->edge) != 0)
		return 0;
	return o->is_percent ? (n * o->n + PERCENT - 1) / PERCENT : o->n;
}

static void print_edge(const json_t *edge)
{
	const json_t *n = json_object_get(edge, "connections");

	if (json_is_integer(n))
		printf("%10lld  %s\n", (long long)json_integer_value(n),
		       api_json_text(edge, "name"));
	else
		printf("%10s  %s\n", "?", api_json_text(edge, "name"));
}

static enum api_exit execute(const struct shed_conf *conf, const struct order *o,
			     const json_t *edges)
{
	int64_t average = average_of(edges);
	bool is_list = !conf->to_average && o->edge == NULL;
	enum api_exit x = API_DONE;
	const json_t *edge;
	size_t i;

	json_array_foreach (edges, i, edge) {
		int64_t n = wanted(conf, o, edge, average);

		if (is_list)
			print_edge(edge);
		else if (n > 0 && x == API_DONE)
			x = shed_from(conf, api_json_text(edge, "name"), n);
	}
	return x;
}

static bool has_edge(const json_t *edges, const char *name)
{
	const json_t *edge;
	size_t i;

	json_array_foreach (edges, i, edge)
		if (strcmp(api_json_text(edge, "name"), name) == 0)
			return true;
	return false;
}

static enum api_exit shed(const struct shed_conf *conf, const struct order *o)
{
	struct api_request r = {.method = "GET", .path = "/edges"};
	json_t *all;
	enum api_exit x = api_json(&conf->api, table.program, &r, &all);
	const json_t *edges = json_object_get(all, "edges");

	if (x == API_DONE && o->edge != NULL && !has_edge(edges, o->edge)) {
		fprintf(stderr, "%s: no edge \"%s\" is linked\n", table.program, o->edge);
		x = API_GONE;
	}
	if (x == API_DONE)
		x = execute(conf, o, edges);
	json_decref(all);
	return x;
}

int shed_run(int argc, char **argv)
{
	struct shed_conf conf;
	const char *words[WORDS];
	struct order o = {0};
	int n = api_words(argc, argv, WORDS, words);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n == WORDS)
		o.edge = words[0];
	if (n == 1 || (n == WORDS && (conf.to_average || !read_amount(words[1], &o)))) {
		fputs("gatepost shed: bad usage: gatepost shed EDGE N, gatepost shed "
		      "EDGE "
		      "P%, or gatepost shed --to-average\n",
		      stderr);
		return API_USAGE;
	}
	return (int)shed(&conf, &o);
}
