#include "cli/commands/presence.h"

#include "base/mem.h"
#include "cli/client/api_json.h"
#include "json/walk.h"

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

static void print_row(const struct json_value *row)
{
	struct json_value connection = view_member(row, "connection");
	struct json_value user = view_member(row, "user"),
			  info = view_member(row, "info");

	view_print(&connection);
	fputs("  ", stdout);
	if (user.kind == JSON_IS_STRING)
		view_print(&user);
	else
		putchar('-');
	if (info.kind != JSON_IS_MISSING) {
		fputs("  ", stdout);
		view_print(&info);
	}
	putchar('\n');
}

static void print_members(const struct presence_conf *conf, const struct json_value *page)
{
	struct json_value all = view_member(page, "members"), m;
	struct json_walk w;
	struct span name;

	if (all.kind != JSON_IS_ARRAY)
		return;
	for (w = json_walk(&all); json_walk_next(&w, &name, &m);) {
		if (conf->json)
			view_print_line(&m);
		else
			print_row(&m);
	}
}

static void print_count(const struct json_value *page, const char *name, const char *what)
{
	int64_t n = view_number(page, name);

	printf("%lld %s%s", (long long)n, what, n == 1 ? "" : "s");
}

/* Where the next page begins, encoded; NULL: that was the last. */
static char *print_page(const struct presence_conf *conf, const struct json_value *page,
			bool is_first)
{
	char *next = view_text(page, "next");
	char *cursor = *next ? api_encode(next) : NULL;

	if (is_first && page->kind == JSON_IS_OBJECT && !conf->json) {
		print_count(page, "connections", "connection");
		fputs(", ", stdout);
		print_count(page, "users", "user");
		putchar('\n');
	}
	print_members(conf, page);
	free(next);
	return cursor;
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
		struct http_reply reply;
		struct json_value page;

		x = api_view(&conf->api, table.program, &r, &reply, &page);
		free(path);
		free(cursor);
		cursor = print_page(conf, &page, is_first);
		is_first = false;
		http_reply_free(&reply);
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
