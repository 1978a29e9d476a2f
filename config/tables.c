#include "config/tables.h"

#include "config/intrinsic.h"
#include "config/resources.h"
#include "config/variable.h"

#include "base/mem.h"
#include "json/write.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 12, MOST_DEFINITION = 256 * 1024 };

static void read_table(struct reading *r, struct resource *table);
static bool write_properties(struct reading *r, const struct resource *table,
			     struct json_out *o);
static bool write_simple(struct reading *r, const struct resource *table,
			 struct json_out *o);
static void explain(struct reading *r);

void tables_read(struct reading *r)
{
	struct config *c = r->config;

	if (!c->has_tables)
		return;
	c->tables = xcalloc(r->n_resources + 1, sizeof *c->tables);
	for (size_t i = 0; i < r->n_resources; i++)
		if (resources_find(r, r->resources[i]->key.name) == r->resources[i])
			read_table(r, r->resources[i]);
	explain(r);
}

static void read_table(struct reading *r, struct resource *table)
{
	struct config *c = r->config;
	const char *name = resource_name(r, table);
	struct json_out o;
	struct blob *text;
	bool ok;

	if (name == NULL)
		return;
	for (size_t i = 0; i < c->n_tables; i++)
		if (strcmp(c->tables[i].name, name) == 0) {
			reading_error(r, table->at, &table->key,
				      "there are two tables of the name \"%s\"", name);
			return;
		}
	json_out_init(&o, 512);
	json_out_raw(&o, "{\"TableName\":");
	json_out_string(&o, span_str(name));
	ok = table->is_simple ? write_simple(r, table, &o)
			      : write_properties(r, table, &o);
	json_out_raw(&o, "}");
	text = json_out_end(&o);
	if (ok)
		c->tables[c->n_tables++] = (struct config_table){
			.name = xstrdup(name),
			.definition = span_dup(blob_span(text)),
			.line = table->at.line,
		};
	else
		reading_info(r, table->at, &table->key,
			     "left out: it has values that cannot be resolved here");
	blob_unref(text);
}

/* The rest of what is under resources: is said to be ignored; this is why all may do all. */
static void explain(struct reading *r)
{
	const struct config *c = r->config;

	if (c->n_tables > 0 && !c->has_statements)
		reading_info(r, r->resources[0]->at, &r->resources[0]->key,
			     "functions may do everything with tables: no statement of "
			     "provider.iam is about dynamodb");
}

/* ---- a value of CloudFormation as JSON */

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool write_value(struct reading *r, const struct value *v,
			const char *const *names, struct json_out *o, unsigned depth);

static bool write_text(struct reading *r, const struct value *v, struct json_out *o)
{
	const struct node *node = v->node;
	const char *text = intrinsic_text(r, v);

	if (text == NULL || o->n > MOST_DEFINITION)
		return false;
	if (node->plain && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		json_out_raw(o, text);
	else
		json_out_string(o, span_str(text));
	return true;
}

static bool write_list(struct reading *r, const struct value *v, const char *const *names,
		       struct json_out *o, unsigned depth)
{
	bool first = true;

	json_out_raw(o, "[");
	for (size_t i = 0; i < value_count(v); i++) {
		struct value one;

		if (!value_try_at(r, v, i, &one))
			return false;
		if (!first)
			json_out_raw(o, ",");
		if (!write_value(r, &one, names, o, depth))
			return false;
		first = false;
	}
	json_out_raw(o, "]");
	return true;
}

static bool write_map(struct reading *r, const struct value *v, const char *const *names,
		      struct json_out *o, unsigned depth)
{
	bool first = true;

	json_out_raw(o, "{");
	for (size_t i = 0; i < value_count(v); i++) {
		const char *name = v->node->items[2 * i]->text;
		struct value one;

		if (names && !is_among(name, names))
			continue;
		if (!value_try_at(r, v, i, &one))
			return false;
		if (!first)
			json_out_raw(o, ",");
		json_out_string(o, span_str(name));
		json_out_raw(o, ":");
		if (!write_value(r, &one, NULL, o, depth))
			return false;
		first = false;
	}
	json_out_raw(o, "}");
	return true;
}

/* names: members of the mapping, or of each in the list, that are written; NULL: all. */
static bool write_value(struct reading *r, const struct value *v,
			const char *const *names, struct json_out *o, unsigned depth)
{
	if (depth > MOST_DEPTH || o->n > MOST_DEFINITION)
		return false;
	if (v->node->kind == NODE_TEXT || value_intrinsic(v))
		return write_text(r, v, o);
	return v->node->kind == NODE_LIST ? write_list(r, v, names, o, depth + 1)
					  : write_map(r, v, names, o, depth + 1);
}

/* ---- the two kinds of tables */

/* Throughput and such are not passed on: there is none here. */
static bool write_properties(struct reading *r, const struct resource *table,
			     struct json_out *o)
{
	static const char *const members[] = {
		"AttributeDefinitions",    "KeySchema",
		"GlobalSecondaryIndexes",  "LocalSecondaryIndexes",
		"TimeToLiveSpecification", NULL,
	};
	static const char *const of_index[] = {"IndexName", "KeySchema", "Projection",
					       NULL};
	const struct node *all = table->properties.node;
	struct value v;

	if (all == NULL || all->kind != NODE_MAP)
		return false;
	for (const char *const *name = members; *name; name++) {
		bool is_index = strstr(*name, "Indexes") != NULL;

		if (node_get(all, *name) == NULL)
			continue;
		if (!value_try(r, &table->properties, *name, &v))
			return false;
		json_out_raw(o, ",\"");
		json_out_raw(o, *name);
		json_out_raw(o, "\":");
		if (!write_value(r, &v, is_index ? of_index : NULL, o, 0))
			return false;
	}
	if (node_get(all, "StreamSpecification"))
		reading_info(r, table->at, &table->key,
			     "StreamSpecification: ignored, tables have no streams here");
	return true;
}

/* PrimaryKey: { Name: id, Type: String } is its default. */
static bool write_simple(struct reading *r, const struct resource *table,
			 struct json_out *o)
{
	static const char *const types[][2] = {
		{"String", "S"}, {"Number", "N"}, {"Binary", "B"}};
	struct value key, v;
	const char *name = "id", *type = "String", *letter = NULL;

	if (table->properties.node && table->properties.node->kind == NODE_MAP &&
	    value_try(r, &table->properties, "PrimaryKey", &key) &&
	    key.node->kind == NODE_MAP) {
		if (value_try(r, &key, "Name", &v))
			name = intrinsic_text(r, &v);
		if (value_try(r, &key, "Type", &v))
			type = intrinsic_text(r, &v);
	}
	for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i][0]) == 0)
			letter = types[i][1];
	if (name == NULL || letter == NULL)
		return false;
	json_out_raw(o, ",\"AttributeDefinitions\":[{\"AttributeName\":");
	json_out_string(o, span_str(name));
	json_out_raw(o, ",\"AttributeType\":\"");
	json_out_raw(o, letter);
	json_out_raw(o, "\"}],\"KeySchema\":[{\"AttributeName\":");
	json_out_string(o, span_str(name));
	json_out_raw(o, ",\"KeyType\":\"HASH\"}]");
	return true;
}
