#include "cli/commands/publish.h"

#include "base/mem.h"
#include "cli/client/api_json.h"
#include "cli/client/input.h"
#include "json/read.h"

#include <stdio.h>
#include <stdlib.h>

struct publish_conf {
	struct api_conf api;
	const char *key, *tag;
	bool json;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct publish_conf, api),
	CONF_TEXT(struct publish_conf, key, "idempotency-key", NULL,
		  "publish once for each key, whatever is repeated"),
	CONF_TEXT(struct publish_conf, tag, "tag", NULL,
		  "NAME=VALUE, for filters; may be repeated"),
	CONF_BOOL(struct publish_conf, json, "json", "false", "print the answer as JSON"),
};

static const struct conf_table table = {
	"gatepost publish",
	"Publish to a channel:\n\n"
	"  gatepost publish CHANNEL TEXT    JSON, or else any text\n"
	"  gatepost publish CHANNEL -       the same from stdin, at most 16 MiB\n\n"
	"Print the position EPOCH:OFFSET, if the channel has a history.\n\n"
	"Exit status: 0 published, 4 not allowed, 5 retry later, 2 bad usage, 1 other "
	"errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

/* As it is when it is JSON, else as a JSON string, freed with free(3); NULL: it is not UTF-8. */
static char *data_of(struct span body)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value found;
	json_t *text;
	char *data;

	if (body.n > 0 && json_find(body, &whole, &found) == OK)
		return span_dup(body);
	text = json_stringn((const char *)body.p, body.n);
	data = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
	json_decref(text);
	return data;
}

/* False after a line on stderr. */
static bool add_tag(json_t *tags, const char *text)
{
	const char *equals = strchr(text, '=');
	char *name = equals ? span_dup(span_of(text, (size_t)(equals - text))) : NULL;
	bool ok = name && *name &&
		  json_object_set_new(tags, name, json_string(equals + 1)) == 0;

	if (!ok)
		fprintf(stderr, "%s: --tag %s; allowed: --tag NAME=VALUE\n",
			table.program, text);
	free(name);
	return ok;
}

/* conf has the last one alone. */
static bool read_tags(const struct publish_conf *conf, int argc, char **argv,
		      json_t *tags)
{
	static const char flag[] = "--tag", with_value[] = "--tag=";
	size_t n = strlen(with_value);
	bool ok = true;

	for (int i = 1; ok && i < argc; i++)
		if (strcmp(argv[i], flag) == 0 && i + 1 < argc)
			ok = add_tag(tags, argv[++i]);
		else if (strncmp(argv[i], with_value, n) == 0)
			ok = add_tag(tags, argv[i] + n);
	if (ok && conf->tag && json_object_size(tags) == 0) /* of the environment */
		ok = add_tag(tags, conf->tag);
	return ok;
}

static void print_answer(const struct publish_conf *conf, const json_t *answer)
{
	const char *epoch = api_json_text(answer, "epoch");

	if (conf->json)
		api_json_print(answer);
	else if (*epoch)
		printf("%s:%lld%s%s\n", epoch,
		       (long long)json_integer_value(json_object_get(answer, "offset")),
		       json_is_true(json_object_get(answer, "duplicate")) ? " duplicate"
									  : "",
		       json_is_true(json_object_get(answer, "suppressed")) ? " suppressed"
									   : "");
}

static enum api_exit publish_to(const struct publish_conf *conf, const char *channel,
				const char *data, json_t *others)
{
	char *part = api_encode(channel), *path = xasprintf("/channels/%s", part);
	char *members = json_dumps(others, JSON_COMPACT);
	/* {"data":…} or {"data":…,"key":…} */
	char *body = xasprintf("{\"data\":%s%s%s", data,
			       json_object_size(others) > 0 ? "," : "", members + 1);
	struct api_request r = {"POST", path, span_str(body), false, NULL};
	json_t *answer;
	enum api_exit x = api_json(&conf->api, table.program, &r, &answer);

	if (x == API_DONE)
		print_answer(conf, answer);
	json_decref(answer);
	free(body);
	free(members);
	free(path);
	free(part);
	return x;
}

int publish_run(int argc, char **argv)
{
	struct publish_conf conf;
	const char *words[2];
	int n = api_words(argc, argv, 2, words);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);
	json_t *others, *tags;
	char *data;
	int x = API_USAGE;
	struct span body;
	uint8_t *input;

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n < 2) {
		fputs("gatepost publish: CHANNEL or TEXT is missing: gatepost publish "
		      "CHANNEL TEXT\n",
		      stderr);
		return API_USAGE;
	}
	if (!input_read(table.program, words[1], &body, &input))
		return API_FAILED;
	data = data_of(body);
	free(input);
	if (data == NULL) {
		fprintf(stderr, "%s: the text is not UTF-8\n", table.program);
		return API_USAGE;
	}
	others = json_object();
	tags = json_object();
	if (read_tags(&conf, argc - n, argv + n, tags)) {
		if (conf.key)
			json_object_set_new(others, "key", json_string(conf.key));
		if (json_object_size(tags) > 0)
			json_object_set(others, "tags", tags);
		x = (int)publish_to(&conf, words[0], data, others);
	}
	json_decref(tags);
	json_decref(others);
	free(data);
	return x;
}
