#include "cli/commands/tables_file.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 25 };

static enum api_exit fail(const struct table_api *a, const char *path, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", a->command, path, why);
	return API_FAILED;
}

static char *path_of(const char *folder, const char *name, const char *ending)
{
	return xasprintf("%s/%s%s", folder, name, ending);
}

/* ---- export */

/* What CreateTable takes, of what DescribeTable gives. */
static void copy(json_t *to, const json_t *from, const char *name)
{
	json_t *value = json_object_get(from, name);

	if (value)
		json_object_set(to, name, value);
}

static void copy_indexes(json_t *to, const json_t *from, const char *name)
{
	json_t *all = json_object_get(from, name), *index, *list = json_array();
	size_t i;

	json_array_foreach (all, i, index) {
		json_t *one = json_object();

		copy(one, index, "IndexName");
		copy(one, index, "KeySchema");
		copy(one, index, "Projection");
		json_array_append_new(list, one);
	}
	if (json_array_size(list) > 0)
		json_object_set(to, name, list);
	json_decref(list);
}

static json_t *definition_of(const json_t *table)
{
	json_t *d = json_object();

	copy(d, table, "TableName");
	copy(d, table, "AttributeDefinitions");
	copy(d, table, "KeySchema");
	copy_indexes(d, table, "GlobalSecondaryIndexes");
	copy_indexes(d, table, "LocalSecondaryIndexes");
	json_object_set_new(d, "BillingMode", json_string("PAY_PER_REQUEST"));
	return d;
}

/* Takes value. */
static enum api_exit write_json(const struct table_api *a, const char *path,
				json_t *value)
{
	bool ok = json_dump_file(value, path, JSON_INDENT(2)) == 0;

	json_decref(value);
	return ok ? API_DONE : fail(a, path, strerror(errno));
}

static enum api_exit export_table(const struct table_api *a, const char *folder,
				  const char *name)
{
	json_t *answer;
	char *path = path_of(folder, name, ".table.json");
	enum api_exit x = table_api_call(a, "DescribeTable",
					 json_pack("{s:s}", "TableName", name), &answer);

	if (x == API_DONE)
		x = write_json(a, path, definition_of(json_object_get(answer, "Table")));
	json_decref(answer);
	free(path);
	return x;
}

static enum api_exit export_ttl(const struct table_api *a, const char *folder,
				const char *name)
{
	json_t *answer, *of;
	char *path = path_of(folder, name, ".ttl.json");
	enum api_exit x = table_api_call(a, "DescribeTimeToLive",
					 json_pack("{s:s}", "TableName", name), &answer);
	const char *attribute;

	of = json_object_get(answer, "TimeToLiveDescription");
	attribute = json_string_value(json_object_get(of, "AttributeName"));
	remove(path);
	if (x == API_DONE && attribute)
		x = write_json(a, path,
			       json_pack("{s:s, s:{s:s, s:b}}", "TableName", name,
					 "TimeToLiveSpecification", "AttributeName",
					 attribute, "Enabled", 1));
	json_decref(answer);
	free(path);
	return x;
}

static bool write_item(void *arg, const json_t *item)
{
	FILE *out = arg;

	if (fputs("{\"Item\":", out) < 0 || json_dumpf(item, out, JSON_COMPACT) != 0)
		return false;
	return fputs("}\n", out) >= 0;
}

static enum api_exit export_items(const struct table_api *a, const char *folder,
				  const char *name)
{
	char *path = path_of(folder, name, ".jsonl");
	FILE *out = fopen(path, "we");
	enum api_exit x = out ? table_api_scan(a, name, 0, write_item, out)
			      : fail(a, path, strerror(errno));

	if (out && fclose(out) != 0)
		x = fail(a, path, strerror(errno));
	free(path);
	return x;
}

enum api_exit tables_file_export(const struct table_api *a, const char *folder,
				 const char *name)
{
	enum api_exit x = export_table(a, folder, name);

	if (x == API_DONE)
		x = export_ttl(a, folder, name);
	return x == API_DONE ? export_items(a, folder, name) : x;
}

/* ---- import */

/* A request in a file. required: else it need not be there. */
static enum api_exit ask_file(const struct table_api *a, const char *operation,
			      const char *path, bool required)
{
	json_error_t why;
	json_t *body = json_load_file(path, 0, &why), *answer;
	enum api_exit x;

	if (body == NULL && errno == ENOENT && !required)
		return API_DONE;
	if (body == NULL)
		return fail(a, path, why.text);
	x = table_api_call(a, operation, body, &answer);
	json_decref(answer);
	return x;
}

/* In ListTables: an error line for each table that is not there would be noise. */
struct search {
	const char *name;
	bool found;
};

static enum api_exit look(void *arg, const char *name)
{
	struct search *s = arg;

	s->found = s->found || strcmp(s->name, name) == 0;
	return API_DONE;
}

static enum api_exit make_table(const struct table_api *a, const char *folder,
				const char *name)
{
	struct search s = {.name = name};
	enum api_exit x = table_api_names(a, look, &s);
	char *table, *ttl;

	if (x != API_DONE || s.found)
		return x;
	table = path_of(folder, name, ".table.json");
	ttl = path_of(folder, name, ".ttl.json");
	x = ask_file(a, "CreateTable", table, true);
	if (x == API_DONE)
		x = ask_file(a, "UpdateTimeToLive", ttl, false);
	free(table);
	free(ttl);
	return x;
}

/* Puts that wait; taken by the call, and what it has not processed comes back into them. */
static enum api_exit put_batch(const struct table_api *a, const char *name, json_t **puts)
{
	json_t *answer, *rest;
	enum api_exit x = API_DONE;

	while (x == API_DONE && json_array_size(*puts) > 0) {
		json_t *body = json_pack("{s:{s:o}}", "RequestItems", name, *puts);

		x = table_api_call(a, "BatchWriteItem", body, &answer);
		rest = json_object_get(json_object_get(answer, "UnprocessedItems"), name);
		*puts = rest ? json_incref(rest) : json_array();
		json_decref(answer);
	}
	return x;
}

/* {"Item":{…}}, or the item alone. Taken; NULL: it is neither. */
static json_t *put_of(json_t *line)
{
	json_t *item = json_object_get(line, "Item"), *put = NULL;

	if (json_is_object(line))
		put = json_pack("{s:{s:O}}", "PutRequest", "Item", item ? item : line);
	json_decref(line);
	return put;
}

static enum api_exit import_lines(const struct table_api *a, const char *name,
				  const char *path, FILE *in)
{
	json_t *puts = json_array(), *put;
	enum api_exit x = API_DONE;
	char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t n;

	while (x == API_DONE && (n = getline(&line, &room, in)) > 0) {
		number++;
		if (strspn(line, " \t\r\n") == (size_t)n)
			continue;
		put = put_of(json_loadb(line, (size_t)n, JSON_ALLOW_NUL, NULL));
		if (put == NULL) {
			fprintf(stderr, "%s: %s:%zu: not an item\n", a->command, path,
				number);
			x = API_USAGE;
		} else {
			json_array_append_new(puts, put);
		}
		if (x == API_DONE && json_array_size(puts) == BATCH)
			x = put_batch(a, name, &puts);
	}
	if (x == API_DONE)
		x = put_batch(a, name, &puts);
	json_decref(puts);
	free(line);
	return x;
}

enum api_exit tables_file_import(const struct table_api *a, const char *folder,
				 const char *name)
{
	char *path = path_of(folder, name, ".jsonl");
	FILE *in = fopen(path, "re");
	enum api_exit x =
		in ? make_table(a, folder, name) : fail(a, path, strerror(errno));

	if (x == API_DONE)
		x = import_lines(a, name, path, in);
	if (in)
		fclose(in);
	free(path);
	return x;
}
