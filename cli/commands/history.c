#include "cli/commands/history.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/client/api_json.h"
#include "json/walk.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE = 1000 }; /* messages at a time */

struct history_conf {
	struct api_conf api;
	const char *since, *until;
	int64_t limit;
	bool reverse, json;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct history_conf, api),
	CONF_TEXT(struct history_conf, since, "since", NULL,
		  "EPOCH:OFFSET, behind which the messages stand"),
	CONF_TEXT(struct history_conf, until, "until", NULL,
		  "EPOCH:OFFSET, up to and including which the messages stand"),
	CONF_INT(struct history_conf, limit, "limit", "100000", 0, 100000,
		 "messages at most"),
	CONF_BOOL(struct history_conf, reverse, "reverse", "false", "newest first"),
	CONF_BOOL(struct history_conf, json, "json", "false",
		  "print one JSON object on a line for each"),
};

static const struct conf_table table = {
	"gatepost history",
	"Print the messages that a channel has kept, with offset and time:\n\n"
	"  gatepost history CHANNEL\n"
	"  gatepost history CHANNEL --limit 10 --reverse\n\n"
	"Exit status: 0; 4 not allowed, 5 retry later, 2 bad usage, 1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

/* What is left to read: where it begins, where it ends, how much. */
struct range {
	char *since, *until; /* encoded; NULL: open */
	int64_t left;
};

static char *encode(const char *text)
{
	return text ? api_encode(text) : NULL;
}

static void print_message(const struct history_conf *conf, const struct json_value *m)
{
	char at[CLOCK_ISO];
	struct json_value data = view_member(m, "data");

	if (conf->json) {
		view_print_line(m);
		return;
	}
	if (data.kind == JSON_IS_MISSING)
		data = view_member(m, "data64");
	clock_iso(view_number(m, "time"), at);
	printf("%lld  %s  ", (long long)view_number(m, "offset"), at);
	view_print(&data);
	putchar('\n');
}

static int64_t print_messages(const struct history_conf *conf,
			      const struct json_value *page)
{
	struct json_value all = view_member(page, "messages"), m;
	struct json_walk w;
	struct span name;
	int64_t n = 0;

	if (all.kind != JSON_IS_ARRAY)
		return 0;
	for (w = json_walk(&all); json_walk_next(&w, &name, &m); n++)
		print_message(conf, &m);
	return n;
}

/* Print a page, and move to the next one. False: that was the last. */
static bool print_page(const struct history_conf *conf, const struct json_value *page,
		       struct range *r)
{
	struct json_value next = view_member(page, "next");
	char **edge = conf->reverse ? &r->until : &r->since;
	int64_t n = print_messages(conf, page);
	char *epoch, *text;

	r->left -= n;
	if (next.kind != JSON_IS_OBJECT || n == 0 || r->left <= 0)
		return false;
	epoch = view_text(&next, "epoch");
	text = xasprintf("%s:%lld", epoch, (long long)view_number(&next, "offset"));
	free(*edge);
	*edge = api_encode(text);
	free(text);
	free(epoch);
	return true;
}

static char *path_of(const struct history_conf *conf, const char *part,
		     const struct range *r)
{
	return xasprintf("/channels/%s/history?limit=%lld%s%s%s%s%s", part,
			 (long long)(r->left < PAGE ? r->left : PAGE),
			 r->since ? "&since=" : "", r->since ? r->since : "",
			 r->until ? "&until=" : "", r->until ? r->until : "",
			 conf->reverse ? "&reverse=true" : "");
}

static enum api_exit print_all(const struct history_conf *conf, const char *channel)
{
	char *part = api_encode(channel);
	struct range left = {encode(conf->since), encode(conf->until), conf->limit};
	enum api_exit x;
	bool more;

	do {
		char *path = path_of(conf, part, &left);
		struct api_request r = {.method = "GET", .path = path};
		struct http_reply reply;
		struct json_value page;

		x = api_view(&conf->api, table.program, &r, &reply, &page);
		more = x == API_DONE && print_page(conf, &page, &left);
		http_reply_free(&reply);
		free(path);
	} while (more);
	free(left.since);
	free(left.until);
	free(part);
	return x;
}

int history_run(int argc, char **argv)
{
	struct history_conf conf;
	const char *channel;
	int n = api_words(argc, argv, 1, &channel);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n == 1)
		return (int)print_all(&conf, channel);
	fputs("gatepost history: CHANNEL is missing: gatepost history CHANNEL\n", stderr);
	return API_USAGE;
}
