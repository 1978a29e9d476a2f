#include "cli/commands/history.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/client/api_json.h"

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

static void print_message(const struct history_conf *conf, const json_t *m)
{
	char at[CLOCK_ISO];
	const json_t *data = json_object_get(m, "data");

	if (conf->json) {
		api_json_print(m);
		return;
	}
	clock_iso(json_integer_value(json_object_get(m, "time")), at);
	printf("%lld  %s  ", (long long)json_integer_value(json_object_get(m, "offset")),
	       at);
	api_json_print_short(data ? data : json_object_get(m, "data64"));
	putchar('\n');
}

/* Print a page, and move to the next one. False: that was the last. */
static bool print_page(const struct history_conf *conf, const json_t *page,
		       struct range *r)
{
	const json_t *next = json_object_get(page, "next");
	char **edge = conf->reverse ? &r->until : &r->since;
	size_t i;
	json_t *m;

	json_array_foreach (json_object_get(page, "messages"), i, m)
		print_message(conf, m);
	r->left -= (int64_t)i;
	if (next == NULL || i == 0 || r->left <= 0)
		return false;
	char *text =
		xasprintf("%s:%lld", api_json_text(next, "epoch"),
			  (long long)json_integer_value(json_object_get(next, "offset")));
	free(*edge);
	*edge = api_encode(text);
	free(text);
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
		json_t *page;

		x = api_json(&conf->api, table.program, &r, &page);
		more = x == API_DONE && print_page(conf, page, &left);
		json_decref(page);
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
