/*
 *   gatepost connections      page after page of the table: print_page
 *   gatepost connections ID   what its edge knows of it: print_one
 */
#include "cli/commands/connections.h"

#include "base/mem.h"
#include "cli/client/api_json.h"
#include "cli/client/clean.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 250 }; /* rows at a time */

struct connections_conf {
	struct api_conf api;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct connections_conf, api),
};

static const struct conf_table table = {
	"gatepost connections",
	"List the connection table, or show one connection:\n\n"
	"  gatepost connections\n"
	"  gatepost connections ID\n\n"
	"Exit status: 0; 3 no such connection, 4 not allowed, 5 retry later, 2 bad "
	"usage,\n1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static void print_row(const json_t *row)
{
	const json_t *who = json_object_get(row, "identity");

	printf("%-16s  %-24s  ", api_json_text(row, "connectionId"),
	       api_json_text(row, "connectedAt"));
	printf("%-15s  ", api_json_text(who, "sourceIp"));
	clean_print(api_json_text(who, "userAgent"));
	putchar('\n');
}

/* The cursor of the next page, freed with free(3); NULL: that was the last. */
static char *print_page(const json_t *page)
{
	const char *cursor = json_string_value(json_object_get(page, "cursor"));
	size_t i;
	json_t *row;

	json_array_foreach (json_object_get(page, "connections"), i, row)
		print_row(row);
	return cursor ? api_encode(cursor) : NULL;
}

static enum api_exit get(const struct connections_conf *conf, const char *path,
			 json_t **out)
{
	struct api_request r = {.method = "GET", .path = path};

	return api_json(&conf->api, table.program, &r, out);
}

static int print_all(const struct connections_conf *conf)
{
	char *cursor = NULL;
	enum api_exit x;

	printf("%-16s  %-24s  %-15s  %s\n", "CONNECTION", "SINCE", "FROM", "USER AGENT");
	do {
		char *path = xasprintf("/@connections?limit=%d%s%s", PAGE,
				       cursor ? "&cursor=" : "", cursor ? cursor : "");
		json_t *page;

		x = get(conf, path, &page);
		free(path);
		free(cursor);
		cursor = print_page(page);
		json_decref(page);
	} while (x == API_DONE && cursor != NULL);
	return (int)x;
}

static int print_one(const struct connections_conf *conf, const char *id)
{
	char *part = api_encode(id), *path = xasprintf("/@connections/%s", part);
	const json_t *who;
	json_t *row;
	enum api_exit x = get(conf, path, &row);

	if (x == API_DONE) {
		who = json_object_get(row, "identity");
		printf("connection   %s\nsince        %s\nlast active  %s\nfrom         "
		       "%s\nuser agent   ",
		       id, api_json_text(row, "connectedAt"),
		       api_json_text(row, "lastActiveAt"),
		       api_json_text(who, "sourceIp"));
		clean_print(api_json_text(who, "userAgent"));
		putchar('\n');
	}
	json_decref(row);
	free(path);
	free(part);
	return (int)x;
}

int connections_run(int argc, char **argv)
{
	struct connections_conf conf;
	const char *id;
	int n = api_words(argc, argv, 1, &id);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	return n > 0 ? print_one(&conf, id) : print_all(&conf);
}
