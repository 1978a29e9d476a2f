#include "cli/commands/channels.h"

#include "base/mem.h"
#include "cli/client/api_json.h"
#include "cli/client/clean.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 1000 }; /* channels at a time */

struct channels_conf {
	struct api_conf api;
	bool json;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct channels_conf, api),
	CONF_BOOL(struct channels_conf, json, "json", "false",
		  "print one JSON object on a line for each"),
};

static const struct conf_table table = {
	"gatepost channels",
	"List the channels that have subscribers:\n\n"
	"  gatepost channels\n"
	"  gatepost channels PREFIX    those whose names begin so\n\n"
	"A count that is not known is shown as -.\n\n"
	"Exit status: 0; 4 not allowed, 5 retry later, 2 bad usage, 1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static void print_count(const json_t *row, const char *name, int width)
{
	const json_t *n = json_object_get(row, name);
	char *text =
		n ? xasprintf("%lld", (long long)json_integer_value(n)) : xstrdup("-");

	printf("%-*s  ", width, text);
	free(text);
}

static void print_row(const json_t *row)
{
	const char *epoch = api_json_text(row, "epoch");

	print_count(row, "connections", 11);
	print_count(row, "users", 5);
	print_count(row, "offset", 10);
	printf("%-19s  ", *epoch ? epoch : "-");
	clean_print(api_json_text(row, "channel"));
	putchar('\n');
}

/* Where the next page begins, encoded; NULL: that was the last. */
static char *print_page(const struct channels_conf *conf, const json_t *page)
{
	const char *next = api_json_text(page, "next");
	size_t i;
	json_t *row;

	json_array_foreach (json_object_get(page, "channels"), i, row) {
		if (conf->json)
			api_json_print(row);
		else
			print_row(row);
	}
	return *next ? api_encode(next) : NULL;
}

static enum api_exit print_all(const struct channels_conf *conf, const char *prefix)
{
	char *part = api_encode(prefix), *cursor = NULL;
	enum api_exit x;

	if (!conf->json)
		printf("%-11s  %-5s  %-10s  %-19s  %s\n", "CONNECTIONS", "USERS",
		       "OFFSET", "EPOCH", "CHANNEL");
	do {
		char *path = xasprintf("/channels?limit=%d&prefix=%s%s%s", PAGE, part,
				       cursor ? "&cursor=" : "", cursor ? cursor : "");
		struct api_request r = {.method = "GET", .path = path};
		json_t *page;

		x = api_json(&conf->api, table.program, &r, &page);
		free(path);
		free(cursor);
		cursor = print_page(conf, page);
		json_decref(page);
	} while (x == API_DONE && cursor);
	free(cursor);
	free(part);
	return x;
}

int channels_run(int argc, char **argv)
{
	struct channels_conf conf;
	const char *prefix = "";
	int n = api_words(argc, argv, 1, &prefix);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	return (int)print_all(&conf, prefix);
}
