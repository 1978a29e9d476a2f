/*
 * schema_read
 *   read_name               TableName
 *   schema_read_types       AttributeDefinitions
 *   schema_read_keys        KeySchema
 *   schema_read_indexes     GlobalSecondaryIndexes, LocalSecondaryIndexes
 *   schema_check_all_used   each attribute that is defined is a key
 *   read_rest               billing, TTL, what is refused
 */
#include "tables/store/schema_parts.h"

#include <string.h>

static enum err read_name(struct table *t, const struct fields *f, struct refusal *no)
{
	enum err e = fields_need_text(f, "TableName", &t->name, no);

	if (e != OK)
		return e;
	t->name = arena_copy(t->arena, table_name_of(t->name));
	return schema_check_name(f, "TableName", t->name, no);
}

/* ---- the rest ---- */

static enum err refuse_streams(const struct fields *f, struct refusal *no)
{
	const struct json_value *v;
	struct fields streams;
	bool is_on = false;
	enum err e = fields_object(f, "StreamSpecification", &v, no);

	if (e != OK || v == NULL)
		return e;
	e = fields_read(f->arena, v, &streams, no);
	if (e == OK)
		e = fields_truth(&streams, "StreamEnabled", &is_on, no);
	/* CloudFormation has no StreamEnabled: a view type alone turns streams on. */
	is_on = is_on || fields_find(&streams, "StreamEnabled") == NULL;
	if (e == OK && is_on)
		return refuse(
			f->arena, no,
			"StreamSpecification is not supported: Gatepost's tables have "
			"no streams");
	return e;
}

static enum err refuse_others(const struct fields *f, struct refusal *no)
{
	static const char *const names[] = {
		"ResourcePolicy", "Replicas", "GlobalTableWitnesses",
		"ImportSourceSpecification", "KinesisStreamSpecification"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (fields_find(f, names[i]) != NULL)
			return refuse(f->arena, no, "%s is not supported by Gatepost",
				      names[i]);
	return refuse_streams(f, no);
}

static enum err read_billing(struct table *t, const struct fields *f, struct refusal *no)
{
	static const char *const words[] = {"PROVISIONED", "PAY_PER_REQUEST", NULL};
	const struct json_value *v;
	struct fields units;
	int mode = -1;
	enum err e = fields_word(f, "BillingMode", words, &mode, no);

	if (e == OK)
		e = fields_object(f, "ProvisionedThroughput", &v, no);
	if (e != OK)
		return e;
	t->is_provisioned = mode == 0 || (mode < 0 && v != NULL);
	if (v == NULL)
		return OK;
	e = fields_read(f->arena, v, &units, no);
	if (e == OK)
		e = fields_number(&units, "ReadCapacityUnits", &t->read_units, NULL, no);
	if (e == OK)
		e = fields_number(&units, "WriteCapacityUnits", &t->write_units, NULL,
				  no);
	return e;
}

/* CloudFormation has it beside the others; CreateTable has not, so there it is an unknown member. */
static enum err read_ttl(struct table *t, const struct fields *f, struct refusal *no)
{
	const struct json_value *v;
	struct fields ttl;
	struct span name;
	bool is_on = true;
	enum err e = fields_object(f, "TimeToLiveSpecification", &v, no);

	if (e != OK || v == NULL)
		return e;
	e = fields_read(f->arena, v, &ttl, no);
	if (e == OK)
		e = fields_truth(&ttl, "Enabled", &is_on, no);
	if (e == OK && is_on)
		e = fields_need_text(&ttl, "AttributeName", &name, no);
	if (e == OK && is_on)
		t->ttl = arena_copy(t->arena, name);
	return e;
}

static enum err read_rest(struct table *t, const struct fields *f, struct refusal *no)
{
	enum err e = refuse_others(f, no);

	if (e == OK)
		e = read_billing(t, f, no);
	if (e == OK)
		e = read_ttl(t, f, no);
	if (e == OK)
		e = fields_truth(f, "DeletionProtectionEnabled", &t->is_protected, no);
	return e;
}

static enum err read_all(struct table *t, const struct fields *f, bool is_stored,
			 struct refusal *no)
{
	const struct json_value *v;
	struct schema_types types = {.is_stored = is_stored};
	enum err e = read_name(t, f, no);

	if (e == OK)
		e = fields_array(f, "AttributeDefinitions", &v, no);
	if (e == OK && v == NULL)
		return fields_missing(f, "AttributeDefinitions", no);
	if (e == OK)
		e = schema_read_types(t, f->arena, v, &types, no);
	if (e == OK)
		e = schema_read_keys(f, &types, &t->keys, no);
	if (e == OK)
		e = schema_read_indexes(t, f, "LocalSecondaryIndexes", true,
					TABLE_LOCALS_MOST, &types, no);
	if (e == OK)
		e = schema_read_indexes(t, f, "GlobalSecondaryIndexes", false,
					TABLE_GLOBALS_MOST, &types, no);
	if (e == OK)
		e = schema_check_all_used(f, &types, no);
	return e == OK ? read_rest(t, f, no) : e;
}

enum err schema_read(const struct fields *f, struct table **out, struct refusal *no)
{
	struct table *t = table_new();
	enum err e = read_all(t, f, false, no);

	if (e != OK) {
		table_unref(t);
		t = NULL;
	}
	*out = t;
	return e;
}

/* ---- from the catalog ---- */

static bool copy_word(const struct fields *f, const char *name, size_t n, char *out)
{
	struct refusal no;
	struct span text;

	if (fields_text(f, name, &text, &no) != OK || text.n != n)
		return false;
	memcpy(out, text.p, n);
	out[n] = '\0';
	return true;
}

static bool read_stored(struct table *t, const struct fields *f)
{
	struct refusal no;
	struct span ttl;
	int64_t generation = 0, next = 0, is_new = 0;

	if (read_all(t, f, true, &no) != OK || !copy_word(f, "Id", TABLE_ID, t->id) ||
	    !copy_word(f, "Uuid", TABLE_UUID, t->uuid) ||
	    fields_number(f, "Generation", &generation, NULL, &no) != OK ||
	    fields_number(f, "Created", &t->created_ms, NULL, &no) != OK ||
	    fields_number(f, "NextIndex", &next, NULL, &no) != OK ||
	    fields_number(f, "TtlIsNew", &is_new, NULL, &no) != OK ||
	    fields_text(f, "Ttl", &ttl, &no) != OK)
		return false;
	t->generation = (uint64_t)generation;
	t->next_index = (uint32_t)next;
	t->ttl_is_new = is_new != 0;
	t->ttl = arena_copy(t->arena, ttl);
	return generation > 0;
}

struct table *schema_read_stored(struct span text)
{
	static const struct json_path whole = {NULL, 0};
	struct table *t = table_new();
	struct json_value v;
	struct fields f;
	struct refusal no;

	if (json_find(text, &whole, &v) == OK &&
	    fields_read(t->arena, &v, &f, &no) == OK && read_stored(t, &f))
		return t;
	table_unref(t);
	return NULL;
}
