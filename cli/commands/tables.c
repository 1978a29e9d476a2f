/*
 *   gatepost tables                         list_all
 *   gatepost tables export FOLDER [NAME…]   tables_file_export
 *   gatepost tables import FOLDER [NAME…]   tables_file_import
 */
#include "cli/commands/tables.h"

#include "base/mem.h"
#include "cli/client/grid.h"
#include "cli/client/table_api.h"
#include "cli/commands/tables_file.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_WORDS = 100 };

struct tables_conf {
	struct api_conf api;
	bool json;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct tables_conf, api),
	CONF_BOOL(struct tables_conf, json, "json", "false",
		  "print one JSON object on a line for each"),
};

static const struct conf_table table = {
	"gatepost tables",
	"List tables, or write them into files and read them back:\n\n"
	"  gatepost tables\n"
	"  gatepost tables export FOLDER           all of them\n"
	"  gatepost tables export FOLDER NAME...\n"
	"  gatepost tables import FOLDER [NAME...]\n\n"
	"The files are in forms that `aws dynamodb` reads, too. An import makes tables "
	"that\nare missing, and puts the items over those that are there.\n\n"
	"Exit status: 0; 3 no such table, 4 not allowed, 5 retry later, 2 bad usage,\n"
	"1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

/* ---- the list */

struct listing {
	struct table_api api;
	bool json;
	struct grid grid;
};

/* "room, name": the attributes of a key schema. Freed by the caller. */
static char *key_of(const json_t *schema)
{
	char *text = xstrdup("");
	json_t *part;
	size_t i;

	json_array_foreach (schema, i, part) {
		char *longer = xasprintf("%s%s%s", text, i ? ", " : "",
					 api_json_text(part, "AttributeName"));

		free(text);
		text = longer;
	}
	return text;
}

static char *names_of_indexes(const json_t *described)
{
	static const char *const kinds[] = {"GlobalSecondaryIndexes",
					    "LocalSecondaryIndexes"};
	char *text = xstrdup("");
	json_t *index;
	size_t i;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		json_array_foreach (json_object_get(described, kinds[k]), i, index) {
			char *longer = xasprintf("%s%s%s", text, *text ? ", " : "",
						 api_json_text(index, "IndexName"));

			free(text);
			text = longer;
		}
	return text;
}

static char *number_of(const json_t *described, const char *name)
{
	return xasprintf("%lld",
			 (long long)json_integer_value(json_object_get(described, name)));
}

static void add_row(struct grid *g, const json_t *described)
{
	char *items = number_of(described, "ItemCount");
	char *bytes = number_of(described, "TableSizeBytes");
	char *key = key_of(json_object_get(described, "KeySchema"));
	char *indexes = names_of_indexes(described);

	grid_add(g, (const char *[GRID_COLUMNS]){api_json_text(described, "TableName"),
						 items, bytes, key, indexes});
	free(items);
	free(bytes);
	free(key);
	free(indexes);
}

static enum api_exit list_one(void *arg, const char *name)
{
	struct listing *l = arg;
	json_t *answer, *described;
	enum api_exit x = table_api_call(&l->api, "DescribeTable",
					 json_pack("{s:s}", "TableName", name), &answer);

	described = json_object_get(answer, "Table");
	if (x == API_DONE && l->json)
		api_json_print(described);
	else if (x == API_DONE)
		add_row(&l->grid, described);
	json_decref(answer);
	return x == API_GONE ? API_DONE
			     : x; /* it was deleted meanwhile, which was said */
}

static enum api_exit list_all(const struct tables_conf *conf)
{
	struct listing l = {.api = {&conf->api, table.program}, .json = conf->json};
	enum api_exit x;

	if (!conf->json)
		grid_add(&l.grid, (const char *[GRID_COLUMNS]){"TABLE", "ITEMS", "BYTES",
							       "KEY", "INDEXES"});
	x = table_api_names(&l.api, list_one, &l);
	grid_print(&l.grid, stdout);
	return x;
}

/* ---- files */

typedef enum api_exit file_fn(const struct table_api *a, const char *folder,
			      const char *name);

struct files {
	struct table_api api;
	const char *folder;
};

static enum api_exit export_one(void *arg, const char *name)
{
	const struct files *f = arg;

	return tables_file_export(&f->api, f->folder, name);
}

static enum api_exit each(const struct files *f, file_fn *fn, const char **names, int n)
{
	enum api_exit x = API_DONE;

	for (int i = 0; x == API_DONE && i < n; i++)
		x = fn(&f->api, f->folder, names[i]);
	return x;
}

static enum api_exit export(struct files *f, const char **names, int n) {
	if (mkdir(f->folder, 0777) == -1 &&
	    errno != EEXIST){fprintf(stderr, "%s: %s: %s\n", f->api.command, f->folder,
				     strerror(errno));
			     return API_FAILED;}
return n > 0 ? each(f, tables_file_export, names, n)
	     : table_api_names(&f->api, export_one, f);
}

/* The tables of all files of the folder. */
static enum api_exit import_all(const struct files *f)
{
	static const char ending[] = ".jsonl";
	char *pattern = xasprintf("%s/*%s", f->folder, ending);
	enum api_exit x = API_DONE;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "%s: no files *%s in %s\n", f->api.command, ending,
			f->folder);
		free(pattern);
		return API_USAGE;
	}
	for (size_t i = 0; x == API_DONE && i < found.gl_pathc; i++) {
		char *name = xstrdup(strrchr(found.gl_pathv[i], '/') + 1);

		name[strlen(name) - strlen(ending)] = '\0';
		x = tables_file_import(&f->api, f->folder, name);
		free(name);
	}
	globfree(&found);
	free(pattern);
	return x;
}

static int bad_usage(void)
{
	fputs("gatepost tables: write gatepost tables, gatepost tables export FOLDER or "
	      "gatepost tables import FOLDER\n",
	      stderr);
	return API_USAGE;
}

int tables_run(int argc, char **argv)
{
	struct tables_conf conf;
	const char *words[MOST_WORDS];
	int n = api_words(argc, argv, MOST_WORDS, words);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);
	struct files f;

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n == 0)
		return (int)list_all(&conf);
	if (n == 1)
		return bad_usage();
	f = (struct files){{&conf.api, table.program}, words[1]};
	if (strcmp(words[0], "export") == 0)
		return (int)export(&f, words + 2, n - 2);
	if (strcmp(words[0], "import") != 0)
		return bad_usage();
	return (int)(n > 2 ? each(&f, tables_file_import, words + 2, n - 2)
			   : import_all(&f));
}
