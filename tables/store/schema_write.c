#include "tables/store/schema.h"

#include <assert.h>

static const char *const projections[] = {"ALL", "KEYS_ONLY", "INCLUDE"};

static void write_text(struct json_out *o, const char *name, struct span text)
{
	json_out_key(o, name);
	json_out_string(o, text);
}

static void write_number(struct json_out *o, const char *name, int64_t n)
{
	json_out_key(o, name);
	json_out_number(o, n);
}

static void write_key(struct json_out *o, struct span name, const char *type)
{
	json_out_raw(o, "{");
	write_text(o, "AttributeName", name);
	write_text(o, "KeyType", span_str(type));
	json_out_raw(o, "}");
}

void schema_write_keys(struct json_out *o, const struct key_schema *k)
{
	json_out_raw(o, "[");
	write_key(o, k->partition, "HASH");
	if (k->sort.n > 0) {
		json_out_raw(o, ",");
		write_key(o, k->sort, "RANGE");
	}
	json_out_raw(o, "]");
}

/* Attributes of which each is written once. */
struct written {
	struct span names[2 + 2 * TABLE_INDEXES_MOST];
	size_t n;
};

static void write_attribute(struct json_out *o, struct written *w, struct span name,
			    enum value_type type)
{
	for (size_t i = 0; i < w->n; i++)
		if (span_eq(w->names[i], name))
			return;
	if (w->n > 0)
		json_out_raw(o, ",");
	w->names[w->n++] = name;
	json_out_raw(o, "{");
	write_text(o, "AttributeName", name);
	write_text(o, "AttributeType", span_str(value_type_name(type)));
	json_out_raw(o, "}");
}

static void write_attributes(struct json_out *o, struct written *w,
			     const struct key_schema *k)
{
	write_attribute(o, w, k->partition, k->partition_type);
	if (k->sort.n > 0)
		write_attribute(o, w, k->sort, k->sort_type);
}

void schema_write_attributes(struct json_out *o, const struct table *t)
{
	struct written w = {.n = 0};

	json_out_raw(o, "[");
	write_attributes(o, &w, &t->keys);
	for (size_t i = 0; i < t->n_indexes; i++)
		write_attributes(o, &w, &t->indexes[i].keys);
	json_out_raw(o, "]");
}

void schema_write_projection(struct json_out *o, const struct table_index *x)
{
	json_out_raw(o, "{");
	write_text(o, "ProjectionType", span_str(projections[x->projection]));
	if (x->n_include > 0) {
		json_out_key(o, "NonKeyAttributes");
		json_out_raw(o, "[");
		for (size_t i = 0; i < x->n_include; i++) {
			if (i > 0)
				json_out_raw(o, ",");
			json_out_string(o, x->include[i]);
		}
		json_out_raw(o, "]");
	}
	json_out_raw(o, "}");
}

/* of: local ones, or global ones */
static void write_indexes(struct json_out *o, const char *name, const struct table *t,
			  bool of)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_indexes; i++) {
		const struct table_index *x = &t->indexes[i];

		if (x->is_local != of)
			continue;
		if (n++ == 0) {
			json_out_key(o, name);
			json_out_raw(o, "[{");
		} else {
			json_out_raw(o, ",{");
		}
		write_text(o, "IndexName", x->name);
		json_out_key(o, "KeySchema");
		schema_write_keys(o, &x->keys);
		json_out_key(o, "Projection");
		schema_write_projection(o, x);
		write_number(o, "Number", x->number);
		write_number(o, "State", x->state);
		json_out_raw(o, "}");
	}
	if (n > 0)
		json_out_raw(o, "]");
}

struct blob *schema_write(const struct table *t)
{
	struct json_out o;

	json_out_init(&o, 1024);
	json_out_raw(&o, "{");
	write_text(&o, "TableName", t->name);
	write_text(&o, "Id", span_of(t->id, TABLE_ID));
	write_text(&o, "Uuid", span_of(t->uuid, TABLE_UUID));
	write_number(&o, "Generation", (int64_t)t->generation);
	write_number(&o, "Created", t->created_ms);
	write_number(&o, "NextIndex", t->next_index);
	json_out_key(&o, "AttributeDefinitions");
	schema_write_attributes(&o, t);
	json_out_key(&o, "KeySchema");
	schema_write_keys(&o, &t->keys);
	write_indexes(&o, "GlobalSecondaryIndexes", t, false);
	write_indexes(&o, "LocalSecondaryIndexes", t, true);
	if (t->ttl.n > 0)
		write_text(&o, "Ttl", t->ttl);
	write_number(&o, "TtlIsNew", t->ttl_is_new);
	write_text(&o, "BillingMode",
		   span_str(t->is_provisioned ? "PROVISIONED" : "PAY_PER_REQUEST"));
	json_out_key(&o, "ProvisionedThroughput");
	json_out_raw(&o, "{");
	write_number(&o, "ReadCapacityUnits", t->read_units);
	write_number(&o, "WriteCapacityUnits", t->write_units);
	json_out_raw(&o, "}");
	json_out_key(&o, "DeletionProtectionEnabled");
	json_out_raw(&o, t->is_protected ? "true" : "false");
	json_out_raw(&o, "}");
	return json_out_end(&o);
}

struct table *table_change(const struct table *t)
{
	struct blob *text = schema_write(t);
	struct table *own = schema_read_stored(blob_span(text));

	assert(own != NULL); /* we have written it */
	blob_unref(text);
	own->generation++;
	return own;
}
