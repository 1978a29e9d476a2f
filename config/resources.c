#include "config/resources.h"

#include "config/intrinsic.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TABLES = 500, MOST_PARTS = 200 };

/* What was found outlives the value that it was read from. */
static const struct key outer_key = {.name = "resources"};
static const struct key inner_key = {.up = &outer_key, .name = "Resources"};

static void read_part(struct reading *r, const struct value *part);
static void read_parameters(struct reading *r, const struct value *part);
static void read_resource(struct reading *r, const struct value *v);

void resources_read(struct reading *r, const struct value *root)
{
	struct value all, part;

	if (!value_try(r, root, "resources", &all) || value_intrinsic(&all))
		return;
	if (all.node->kind == NODE_MAP)
		read_part(r, &all);
	if (all.node->kind != NODE_LIST)
		return;
	for (size_t i = 0; i < value_count(&all) && i < MOST_PARTS; i++)
		if (value_try_at(r, &all, i, &part))
			read_part(r, &part);
}

static void read_part(struct reading *r, const struct value *part)
{
	struct value all, v;

	if (part->node->kind != NODE_MAP)
		return;
	read_parameters(r, part);
	if (!value_try(r, part, "Resources", &all) || all.node->kind != NODE_MAP)
		return;
	for (size_t i = 0; i < value_count(&all); i++)
		if (value_try_at(r, &all, i, &v) && v.node->kind == NODE_MAP)
			read_resource(r, &v);
}

static void read_parameters(struct reading *r, const struct value *part)
{
	struct value all;

	if (!value_try(r, part, "Parameters", &all) || all.node->kind != NODE_MAP)
		return;
	r->parameters =
		xrealloc(r->parameters, (r->n_parameters + 1) * sizeof *r->parameters);
	r->parameters[r->n_parameters++] = all.node;
}

/* "AWS::…"; NULL: it says none. */
static const char *type_of(struct reading *r, const struct value *v)
{
	struct value type;

	if (!value_try(r, v, "Type", &type) || type.node->kind != NODE_TEXT)
		return NULL;
	return type.node->text;
}

static void read_resource(struct reading *r, const struct value *v)
{
	const char *type = type_of(r, v);
	struct resource *table;
	struct value properties;
	bool is_simple;

	if (type == NULL)
		return;
	is_simple = strcmp(type, "AWS::Serverless::SimpleTable") == 0;
	if (!is_simple && strcmp(type, "AWS::DynamoDB::Table") != 0)
		return;
	if (r->n_resources == MOST_TABLES) {
		reading_info(r, v->node->at, &v->key, "ignored: more than 500 tables");
		return;
	}
	table = xcalloc(1, sizeof *table);
	*table = (struct resource){
		.key = {.up = &inner_key, .name = v->key.name},
		.at = v->node->at,
		.is_simple = is_simple,
	};
	if (value_try(r, v, "Properties", &properties))
		table->properties.node = properties.node;
	table->properties.key = (struct key){.up = &table->key, .name = "Properties"};
	r->resources =
		xrealloc(r->resources, (r->n_resources + 1) * sizeof *r->resources);
	r->resources[r->n_resources++] = table;
}

void resources_close(struct reading *r)
{
	for (size_t i = 0; i < r->n_resources; i++)
		free(r->resources[i]);
	free(r->resources);
	free(r->parameters);
}

/* The last part that has it counts, as when Serverless merges them. */
struct resource *resources_find(const struct reading *r, const char *id)
{
	for (size_t i = r->n_resources; i > 0; i--)
		if (strcmp(r->resources[i - 1]->key.name, id) == 0)
			return r->resources[i - 1];
	return NULL;
}

const char *resource_name(struct reading *r, struct resource *table)
{
	const struct config *c = r->config;
	struct value v;

	if (table->name || table->is_left_out || table->is_naming)
		return table->name;
	table->is_naming = true; /* a name may refer to other tables, but not to itself */
	if (table->properties.node == NULL ||
	    !node_get(table->properties.node, "TableName"))
		table->name = tree_keep(r->tree, xasprintf("%s-%s-%s", c->service,
							   c->stage, table->key.name));
	else if (value_try(r, &table->properties, "TableName", &v))
		table->name = intrinsic_text(r, &v);
	table->is_naming = false;
	table->is_left_out = table->name == NULL;
	if (table->is_left_out)
		reading_info(r, table->at, &table->key,
			     "left out: its TableName cannot be resolved here");
	return table->name;
}

const char *resources_parameter(const struct reading *r, const char *name)
{
	for (size_t i = r->n_parameters; i > 0; i--) {
		const struct node *one = node_get(r->parameters[i - 1], name);
		const struct node *text = one ? node_get(one, "Default") : NULL;

		if (text && text->kind == NODE_TEXT && text->tag == NULL &&
		    strstr(text->text, "${") == NULL)
			return text->text;
	}
	return NULL;
}
