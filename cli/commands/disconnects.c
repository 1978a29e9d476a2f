/*
 *   gatepost disconnects                list the dead letters, page after page: print_page
 *   gatepost disconnects --retry ID     POST /@disconnects/ID
 *   gatepost disconnects --retry all    POST /@disconnects?all=true, as long as there is more
 *   gatepost disconnects --drop …       the same with DELETE
 */
#include "cli/commands/disconnects.h"

#include "base/mem.h"
#include "cli/client/api_json.h"
#include "cli/client/clean.h"

#include <stdio.h>
#include <stdlib.h>

struct disconnects_conf {
	struct api_conf api;
	const char *retry, *drop;
	bool json;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct disconnects_conf, api),
	CONF_TEXT(struct disconnects_conf, retry, "retry", NULL,
		  "retry this dead letter, or all"),
	CONF_TEXT(struct disconnects_conf, drop, "drop", NULL,
		  "drop this dead letter, or all: the function never gets the event"),
	CONF_BOOL(struct disconnects_conf, json, "json", "false",
		  "print one JSON object on a line for each"),
};

static const struct conf_table table = {
	"gatepost disconnects",
	"List $disconnect events that failed permanently (dead letters), retry them, "
	"or\ndrop them:\n\n"
	"  gatepost disconnects\n"
	"  gatepost disconnects --retry ID\n"
	"  gatepost disconnects --drop all\n\n"
	"Exit status: 0 done; 3 no such dead letter, 4 not allowed, 5 retry later, 2 "
	"bad\nusage, 1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static enum api_exit call(const struct disconnects_conf *conf, const char *method,
			  const char *path, json_t **out);
static enum api_exit print_all(const struct disconnects_conf *conf);
static enum api_exit do_one(const struct disconnects_conf *conf, const char *method,
			    const char *id);
static enum api_exit do_all(const struct disconnects_conf *conf, const char *method);

/*
 * Only the command line sets the action: GATEPOST_RETRY is a setting of
 * edges, and no variable that was left over shall drop anything.
 */
static void forget_environment(void)
{
	unsetenv("GATEPOST_RETRY");
	unsetenv("GATEPOST_DROP");
}

int disconnects_run(int argc, char **argv)
{
	struct disconnects_conf conf;
	const char *method, *which;
	enum err e;

	forget_environment();
	e = conf_load(&table, &conf, argc, argv);
	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (conf.retry != NULL && conf.drop != NULL) {
		fputs("gatepost disconnects: use either --retry or --drop\n", stderr);
		return API_USAGE;
	}
	method = conf.retry ? "POST" : "DELETE";
	which = conf.retry ? conf.retry : conf.drop;
	if (which == NULL)
		return (int)print_all(&conf);
	return (int)(strcmp(which, "all") == 0 ? do_all(&conf, method)
					       : do_one(&conf, method, which));
}

/* out: NULL unless API_DONE and the answer has a body. */
static enum api_exit call(const struct disconnects_conf *conf, const char *method,
			  const char *path, json_t **out)
{
	struct api_request r = {.method = method, .path = path};

	return api_json(&conf->api, table.program, &r, out);
}

/* The path of the page behind this one, freed with free(3); NULL: this was the last. */
static char *next_path(const json_t *page, const char *path)
{
	const char *next = json_string_value(json_object_get(page, "next"));
	char *cursor = next ? api_encode(next) : NULL;
	char *out = cursor ? xasprintf("%s%ccursor=%s", path,
				       strchr(path, '?') ? '&' : '?', cursor)
			   : NULL;

	free(cursor);
	return out;
}

/* ---- the list ---- */

static void print_row(const json_t *row)
{
	clean_print(api_json_text(
		row, "connectionId")); /* 16 characters, unless it is a stranger's */
	printf("  %-24s  %-4d  %-5d  ", api_json_text(row, "disconnectedAt"),
	       (int)json_integer_value(json_object_get(row, "code")),
	       (int)json_integer_value(json_object_get(row, "tries")));
	clean_print(api_json_text(row, "error"));
	putchar('\n');
}

static void print_page(const struct disconnects_conf *conf, const json_t *page)
{
	size_t i;
	json_t *row;

	json_array_foreach (json_object_get(page, "disconnects"), i, row) {
		if (conf->json)
			api_json_print(row);
		else
			print_row(row);
	}
}

static enum api_exit print_all(const struct disconnects_conf *conf)
{
	static const char first[] = "/@disconnects";
	char *path = xstrdup(first);
	enum api_exit x = API_DONE;
	json_t *page;

	if (!conf->json)
		printf("%-16s  %-24s  %-4s  %-5s  %s\n", "CONNECTION", "ENDED", "CODE",
		       "TRIES", "ERROR");
	while (x == API_DONE && path != NULL) {
		x = call(conf, "GET", path, &page);
		free(path);
		print_page(conf, page);
		path = next_path(page, first);
		json_decref(page);
	}
	free(path);
	return x;
}

/* ---- retry, drop ---- */

static enum api_exit do_one(const struct disconnects_conf *conf, const char *method,
			    const char *id)
{
	char *part = api_encode(id), *path = xasprintf("/@disconnects/%s", part);
	json_t *answer;
	enum api_exit x = call(conf, method, path, &answer);

	json_decref(answer);
	free(path);
	free(part);
	return x;
}

/* A page at a time; new dead letters may be among them or not. */
static enum api_exit do_all(const struct disconnects_conf *conf, const char *method)
{
	static const char first[] = "/@disconnects?all=true";
	char *path = xstrdup(first);
	enum api_exit x = API_DONE;
	json_int_t n = 0;
	json_t *page;

	while (x == API_DONE && path != NULL) {
		x = call(conf, method, path, &page);
		free(path);
		n += json_integer_value(json_object_get(page, "retried"));
		n += json_integer_value(json_object_get(page, "dropped"));
		path = next_path(page, first);
		json_decref(page);
	}
	free(path);
	printf("%s %lld\n", strcmp(method, "POST") == 0 ? "retried" : "dropped",
	       (long long)n);
	return x;
}
