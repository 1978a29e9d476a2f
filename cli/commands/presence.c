#include "cli/commands/presence.h"

#include "base/mem.h"
#include "cli/client/api_json.h"
#include "cli/client/clean.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 1000 }; /* members at a time */

struct presence_conf {
	struct api_conf api;
	bool json;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct presence_conf, api),
	CONF_BOOL(struct presence_conf, json, "json", "false",
		  "print one JSON object on a line for each member"),
};

static const struct conf_table table = {
	"gatepost presence",
	"List who is subscribed to a channel:\n\n"
	"  gatepost presence CHANNEL\n\n"
	"Exit status: 0; 4 not allowed, 5 retry later, 2 bad usage, 1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static void print_row(const json_t *row)
{
	const json_t *info = json_object_get(row, "info");

	printf("%-16s  ", api_json_text(row, "connection"));
	clean_print(api_json_text(row, "user"));
	if (info) {
		fputs("  ", stdout);
		api_json_print_short(info);
	}
	putchar('\n');
}

static long long count_of(const json_t *page, const char *name)
{
	return (long long)json_integer_value(json_object_get(page, name));
}

/* Where the next page begins, encoded; NULL: that was the last. */
static char *print_page(const struct presence_conf *conf, const json_t *page,
			bool is_first)
{
	const char *next = api_json_text(page, "next");
	size_t i;
	json_t *row;

	if (is_first && page && !conf->json)
		printf("%lld connections, %lld users\n", count_of(page, "connections"),
		       count_of(page, "users"));
	json_array_foreach (json_object_get(page, "members"), i, row) {
		if (conf->json)
			api_json_print(row);
		else
			print_row(row);
	}
	return *next ? api_encode(next) : NULL;
}

static enum api_exit print_all(const struct presence_conf *conf, const char *channel)
{
	char *part = api_encode(channel), *cursor = NULL;
	bool is_first = true;
	enum api_exit x;

	do {
		char *path = xasprintf("/channels/%s/presence?limit=%d%s%s", part, PAGE,
				       cursor ? "&cursor=" : "", cursor ? cursor : "");
		struct api_request r = {.method = "GET", .path = path};
		json_t *page;

		x = api_json(&conf->api, table.program, &r, &page);
		free(path);
		free(cursor);
		cursor = print_page(conf, page, is_first);
		is_first = false;
		json_decref(page);
	} while (x == API_DONE && cursor);
	free(cursor);
	free(part);
	return x;
}

int presence_run(int argc, char **argv)
{
	struct presence_conf conf;
	const char *channel;
	int n = api_words(argc, argv, 1, &channel);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n == 1)
		return (int)print_all(&conf, channel);
	fputs("gatepost presence: CHANNEL is missing: gatepost presence CHANNEL\n",
	      stderr);
	return API_USAGE;
}
