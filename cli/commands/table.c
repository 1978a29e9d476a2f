/*
 *   gatepost table scan NAME     scan
 *   gatepost table create NAME   create
 *   gatepost table delete NAME   delete
 */
#include "cli/commands/table.h"

#include "base/mem.h"
#include "cli/client/table_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf {
	struct api_conf api;
	int64_t limit;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct conf, api),
	CONF_INT(struct conf, limit, "limit", "0", 0, INT32_MAX,
		 "scan: items at most; 0: all"),
};

static const struct conf_table table = {
	"gatepost table",
	"Print the items of a table, or make or delete one:\n\n"
	"  gatepost table scan NAME\n"
	"  gatepost table create NAME --key ID\n"
	"  gatepost table create NAME --key ROOM --sort AT:N\n"
	"  gatepost table delete NAME\n\n"
	"scan prints one JSON object on a line for each item. --key and --sort name the "
	"key\nattributes, whose type is S, or what follows a colon: S, N or B. There, "
	"the key\npair to sign with is in the environment alone.\n\n"
	"Exit status: 0; 3 no such table, 4 not allowed, 5 retry later, 2 bad usage,\n"
	"1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

/* What stands on the command line beside settings. */
struct asked {
	const char *words[2]; /* "create", "rooms" */
	int n_words;
	const char *key, *sort; /* of create; NULL: not given */
};

static int bad_usage(const char *why)
{
	fprintf(stderr, "gatepost table: %s; see gatepost help table\n", why);
	return API_USAGE;
}

/* ---- scan */

static bool print_item(void *arg, const json_t *item)
{
	(void)arg;
	api_json_print(item);
	return true;
}

/* ---- create */

/* "at:N" as an attribute of the key, into both lists. False: its type is none. */
static bool add_key(const char *text, const char *role, json_t *attributes,
		    json_t *schema)
{
	const char *colon = strrchr(text, ':'), *type = colon ? colon + 1 : "S";
	char *name = colon ? xasprintf("%.*s", (int)(colon - text), text) : xstrdup(text);
	bool ok = *name && strlen(type) == 1 && strchr("SNB", *type);

	if (ok) {
		json_array_append_new(attributes, json_pack("{s:s, s:s}", "AttributeName",
							    name, "AttributeType", type));
		json_array_append_new(schema, json_pack("{s:s, s:s}", "AttributeName",
							name, "KeyType", role));
	}
	free(name);
	return ok;
}

static int create(const struct table_api *a, const struct asked *q)
{
	json_t *attributes = json_array(), *schema = json_array(), *answer = NULL;
	json_t *body = json_pack("{s:s, s:s, s:o, s:o}", "TableName", q->words[1],
				 "BillingMode", "PAY_PER_REQUEST", "AttributeDefinitions",
				 attributes, "KeySchema", schema);
	enum api_exit x;

	if (q->key == NULL || !add_key(q->key, "HASH", attributes, schema) ||
	    (q->sort && !add_key(q->sort, "RANGE", attributes, schema))) {
		json_decref(body);
		return bad_usage("create needs --key NAME or --key NAME:TYPE, and may "
				 "have --sort; types are S, N and B");
	}
	x = table_api_call(a, "CreateTable", body, &answer);
	json_decref(answer);
	return (int)x;
}

/* ---- delete */

static int drop(const struct table_api *a, const char *name)
{
	json_t *answer;
	enum api_exit x = table_api_call(a, "DeleteTable",
					 json_pack("{s:s}", "TableName", name), &answer);

	json_decref(answer);
	return (int)x;
}

/* ---- the command line */

/*
 * Take the words, and --key and --sort of create, where --key is no key pair. What is left in argv
 * are settings; returns how many.
 */
static int take(struct asked *q, int argc, char **argv)
{
	int kept = 1;
	bool creates;

	q->n_words = api_words(argc, argv, 2, q->words);
	creates = q->n_words > 0 && strcmp(q->words[0], "create") == 0;
	for (int i = 1 + q->n_words; i < argc; i++) {
		if (creates && i + 1 < argc && strcmp(argv[i], "--key") == 0)
			q->key = argv[++i];
		else if (creates && i + 1 < argc && strcmp(argv[i], "--sort") == 0)
			q->sort = argv[++i];
		else
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	return kept;
}

int table_run(int argc, char **argv)
{
	struct conf conf;
	struct asked q = {0};
	int n = take(&q, argc, argv);
	enum err e = conf_load(&table, &conf, n, argv);
	struct table_api a = {&conf.api, table.program};

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (q.n_words < 2)
		return bad_usage("write scan, create or delete, and the table's NAME");
	if (strcmp(q.words[0], "scan") == 0)
		return (int)table_api_scan(&a, q.words[1], conf.limit, print_item, NULL);
	if (strcmp(q.words[0], "create") == 0)
		return create(&a, &q);
	if (strcmp(q.words[0], "delete") == 0)
		return drop(&a, q.words[1]);
	return bad_usage("the first word is scan, create or delete");
}
