/*
 * schema_read
 *   read_name           TableName
 *   read_types          AttributeDefinitions
 *   read_keys           KeySchema, of the table and of each index
 *   read_indexes        GlobalSecondaryIndexes, LocalSecondaryIndexes → read_index
 *   check_all_used      each attribute that is defined is a key
 *   read_rest           billing, TTL, what is refused
 */
#include "tables/store/schema.h"

#include "json/walk.h"

#include <stdio.h>
#include <stdlib.h>

enum { TYPES_MOST = 2 + 2 * TABLE_INDEXES_MOST };

/* AttributeDefinitions */
struct types {
	bool is_stored; /* read from the catalog: there are members that requests do not have */
	size_t n;
	struct type {
		struct span name;
		enum value_type type;
		bool is_used;
	} all[TYPES_MOST];
};

#define WRONG "One or more parameter values were invalid: "

static enum err copy_text(struct table *t, const struct fields *f, const char *name,
			  struct span *out, struct refusal *no)
{
	enum err e = fields_need_text(f, name, out, no);

	if (e == OK)
		*out = arena_copy(t->arena, *out);
	return e;
}

static enum err check_name(const struct fields *f, const char *what, struct span name,
			   struct refusal *no)
{
	if (table_name_is_right(name))
		return OK;
	return fields_outside(
		f, what,
		arena_printf(f->arena, "%.*s", (int)(name.n < 300 ? name.n : 300),
			     name.p),
		name.n < TABLE_NAME_LEAST ? "have length greater than or equal to 3"
		: name.n > TABLE_NAME_MOST
			? "have length less than or equal to 255"
			: "satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
		no);
}

static enum err read_name(struct table *t, const struct fields *f, struct refusal *no)
{
	enum err e = fields_need_text(f, "TableName", &t->name, no);

	if (e != OK)
		return e;
	t->name = arena_copy(t->arena, table_name_of(t->name));
	return check_name(f, "TableName", t->name, no);
}

/* ---- attributes ---- */

static enum err read_type(struct table *t, const struct fields *f, struct types *out,
			  struct refusal *no)
{
	static const char *const words[] = {"S", "N", "B", NULL};
	struct type *one = &out->all[out->n];
	struct span word;
	int type = 0;
	enum err e = copy_text(t, f, "AttributeName", &one->name, no);

	if (e == OK)
		e = fields_need_text(f, "AttributeType", &word, no);
	if (e == OK)
		e = fields_word(f, "AttributeType", words, &type, no);
	if (e != OK)
		return e;
	if (one->name.n == 0 || one->name.n > TABLE_NAME_MOST)
		return fields_outside(f, "AttributeName", "", "have length from 1 to 255",
				      no);
	for (size_t i = 0; i < out->n; i++)
		if (span_eq(out->all[i].name, one->name))
			return refuse(f->arena, no,
				      WRONG "Duplicate AttributeName in "
					    "AttributeDefinitions: %.*s",
				      SPAN_ARG(one->name));
	one->type = (enum value_type)type;
	one->is_used = false;
	out->n++;
	return OK;
}

static enum err read_types(struct table *t, struct arena *a, const struct json_value *v,
			   struct types *out, struct refusal *no)
{
	struct json_walk w;
	struct json_value one;
	struct span name;
	enum err e = OK;

	if (v == NULL)
		return OK;
	w = json_walk(v);
	while (e == OK && json_walk_next(&w, &name, &one)) {
		struct fields f;

		if (out->n == TYPES_MOST)
			return refuse(a, no, WRONG "Too many AttributeDefinitions");
		e = fields_read(a, &one, &f, no);
		if (e == OK)
			e = read_type(t, &f, out, no);
	}
	return e;
}

static struct type *find_type(struct types *types, struct span name)
{
	for (size_t i = 0; i < types->n; i++)
		if (span_eq(types->all[i].name, name))
			return &types->all[i];
	return NULL;
}

/* ---- keys ---- */

static enum err read_key(struct arena *a, const struct json_value *v, size_t at,
			 struct types *types, struct type **out, struct refusal *no)
{
	static const char *const words[] = {"HASH", "RANGE", NULL};
	struct fields f;
	struct span name, word;
	int role = 0;
	enum err e = fields_read(a, v, &f, no);

	if (e == OK)
		e = fields_need_text(&f, "AttributeName", &name, no);
	if (e == OK)
		e = fields_need_text(&f, "KeyType", &word, no);
	if (e == OK)
		e = fields_word(&f, "KeyType", words, &role, no);
	if (e != OK)
		return e;
	if (role != (int)at)
		return refuse(
			a, no,
			at == 0 ? "Invalid KeySchema: The first KeySchemaElement is "
				  "not a HASH key type"
				: "Invalid KeySchema: The second KeySchemaElement "
				  "is not a RANGE key type");
	*out = find_type(types, name);
	if (*out == NULL)
		return refuse(a, no,
			      WRONG "Some index key attributes are not defined in "
				    "AttributeDefinitions. Keys: [%.*s]",
			      SPAN_ARG(name));
	(*out)->is_used = true;
	return OK;
}

static enum err read_keys(const struct fields *f, struct types *types,
			  struct key_schema *out, struct refusal *no)
{
	const struct json_value *v;
	struct json_value one;
	struct json_walk w;
	struct span name;
	struct type *found[2] = {NULL, NULL};
	size_t n = 0;
	enum err e = fields_array(f, "KeySchema", &v, no);

	if (e != OK)
		return e;
	if (v == NULL)
		return fields_missing(f, "KeySchema", no);
	w = json_walk(v);
	while (json_walk_next(&w, &name, &one)) {
		if (n == 2)
			return refuse(f->arena, no,
				      WRONG "KeySchema has more than 2 elements");
		e = read_key(f->arena, &one, n, types, &found[n], no);
		if (e != OK)
			return e;
		n++;
	}
	if (n == 0)
		return refuse(f->arena, no, WRONG "KeySchema is empty");
	if (n == 2 && found[0] == found[1])
		return refuse(f->arena, no,
			      "Both the Hash Key and the Range Key element in the "
			      "KeySchema have the same name");
	out->partition = found[0]->name;
	out->partition_type = found[0]->type;
	out->sort = n == 2 ? found[1]->name : (struct span){0};
	out->sort_type = n == 2 ? found[1]->type : VALUE_S;
	return OK;
}

/* ---- indexes ---- */

static enum err read_include(struct table *t, struct arena *a, const struct json_value *v,
			     struct table_index *x, struct refusal *no)
{
	size_t n = fields_count(v), room = 0;
	struct span *names, raw;
	struct json_walk w = json_walk(v);
	struct json_value one;

	for (size_t i = 0; i < t->n_indexes; i++)
		room += t->indexes[i].n_include;
	if (n == 0 || n + room > TABLE_INCLUDE_MOST)
		return refuse(a, no,
			      WRONG "NonKeyAttributes has from 1 to %d names, of all "
				    "indexes together",
			      TABLE_INCLUDE_MOST);
	names = arena_alloc(t->arena, n * sizeof *names);
	for (size_t i = 0; json_walk_next(&w, &raw, &one); i++) {
		enum err e = one.kind == JSON_IS_STRING
				     ? fields_unescape(a, one.raw, &names[i], no)
				     : fields_refuse_type(a, no, "NonKeyAttributes",
							  "an array of strings");
		if (e != OK)
			return e;
		names[i] = arena_copy(t->arena, names[i]);
	}
	x->include = names;
	x->n_include = n;
	return OK;
}

static enum err read_projection(struct table *t, const struct fields *index,
				struct table_index *x, struct refusal *no)
{
	static const char *const words[] = {"ALL", "KEYS_ONLY", "INCLUDE", NULL};
	const struct json_value *v, *include = NULL;
	struct arena *a = index->arena;
	struct fields f;
	int type = -1;
	enum err e = fields_object(index, "Projection", &v, no);

	if (e == OK && v == NULL)
		return fields_missing(index, "Projection", no);
	if (e == OK)
		e = fields_read(a, v, &f, no);
	if (e == OK)
		e = fields_word(&f, "ProjectionType", words, &type, no);
	if (e == OK)
		e = fields_array(&f, "NonKeyAttributes", &include, no);
	if (e != OK)
		return e;
	if (type < 0)
		return refuse(a, no, WRONG "Unknown ProjectionType: null");
	x->projection = (enum projection_type)type;
	if (x->projection == PROJECT_INCLUDE && include == NULL)
		return refuse(a, no,
			      WRONG "ProjectionType is INCLUDE, but NonKeyAttributes is "
				    "not specified");
	if (x->projection != PROJECT_INCLUDE && include != NULL)
		return refuse(a, no,
			      WRONG "ProjectionType is %s, but NonKeyAttributes is "
				    "specified",
			      words[type]);
	return include == NULL ? OK : read_include(t, a, include, x, no);
}

static enum err check_local(const struct table *t, const struct fields *f,
			    const struct table_index *x, struct refusal *no)
{
	if (t->keys.sort.n == 0)
		return refuse(f->arena, no,
			      WRONG "Table KeySchema does not have a range key, which is "
				    "required when specifying a LocalSecondaryIndex");
	if (!span_eq(t->keys.partition, x->keys.partition))
		return refuse(f->arena, no,
			      WRONG "Index KeySchema does not have the same leading hash "
				    "key as table KeySchema for index: %.*s",
			      SPAN_ARG(x->name));
	if (x->keys.sort.n == 0)
		return refuse(f->arena, no,
			      WRONG "Index KeySchema does not have a range key for "
				    "index: %.*s",
			      SPAN_ARG(x->name));
	return OK;
}

static enum err read_index(struct table *t, struct arena *a, const struct json_value *v,
			   bool is_local, struct types *types, struct refusal *no)
{
	struct table_index *x = &t->indexes[t->n_indexes];
	struct fields f;
	int64_t number = t->next_index, state = INDEX_ACTIVE;
	enum err e = fields_read(a, v, &f, no);

	*x = (struct table_index){.is_local = is_local};
	if (e == OK)
		e = copy_text(t, &f, "IndexName", &x->name, no);
	if (e == OK)
		e = check_name(&f, "IndexName", x->name, no);
	if (e == OK && table_index(t, x->name) != NULL)
		return refuse(a, no, WRONG "Duplicate index name: %.*s",
			      SPAN_ARG(x->name));
	if (e == OK)
		e = read_keys(&f, types, &x->keys, no);
	if (e == OK)
		e = read_projection(t, &f, x, no);
	if (e == OK && is_local)
		e = check_local(t, &f, x, no);
	if (e == OK && types->is_stored)
		e = fields_number(&f, "Number", &number, NULL, no);
	if (e == OK && types->is_stored)
		e = fields_number(&f, "State", &state, NULL, no);
	if (e != OK)
		return e;
	x->number = (uint32_t)number;
	x->state = (enum index_state)state;
	t->next_index = x->number >= t->next_index ? x->number + 1 : t->next_index;
	t->n_indexes++;
	return OK;
}

static enum err read_indexes(struct table *t, const struct fields *f, const char *name,
			     bool is_local, size_t most, struct types *types,
			     struct refusal *no)
{
	const struct json_value *v;
	struct json_value one;
	struct json_walk w;
	struct span raw;
	enum err e = fields_array(f, name, &v, no);

	if (e != OK || v == NULL)
		return e;
	if (fields_count(v) == 0)
		return refuse(f->arena, no, WRONG "List of %s is empty", name);
	if (fields_count(v) > most)
		return refuse(f->arena, no, WRONG "%s count exceeds the limit of %zu",
			      name, most);
	w = json_walk(v);
	while (e == OK && json_walk_next(&w, &raw, &one))
		e = read_index(t, f->arena, &one, is_local, types, no);
	return e;
}

static enum err check_all_used(const struct fields *f, const struct types *types,
			       struct refusal *no)
{
	for (size_t i = 0; i < types->n; i++)
		if (!types->all[i].is_used)
			return refuse(f->arena, no,
				      WRONG
				      "Number of attributes in KeySchema does not "
				      "exactly match number of attributes defined in "
				      "AttributeDefinitions: %.*s is not a key",
				      SPAN_ARG(types->all[i].name));
	return OK;
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
	struct types types = {.is_stored = is_stored};
	enum err e = read_name(t, f, no);

	if (e == OK)
		e = fields_array(f, "AttributeDefinitions", &v, no);
	if (e == OK && v == NULL)
		return fields_missing(f, "AttributeDefinitions", no);
	if (e == OK)
		e = read_types(t, f->arena, v, &types, no);
	if (e == OK)
		e = read_keys(f, &types, &t->keys, no);
	if (e == OK)
		e = read_indexes(t, f, "LocalSecondaryIndexes", true, TABLE_LOCALS_MOST,
				 &types, no);
	if (e == OK)
		e = read_indexes(t, f, "GlobalSecondaryIndexes", false,
				 TABLE_GLOBALS_MOST, &types, no);
	if (e == OK)
		e = check_all_used(f, &types, no);
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

/* The types of keys that the table has already are known. */
static void add_known(struct types *types, struct span name, enum value_type type)
{
	struct type *one = find_type(types, name);

	if (name.n == 0 || types->n == TYPES_MOST)
		return;
	if (one == NULL)
		types->all[types->n++] = (struct type){name, type, true};
	else
		one->type = type;
}

enum err schema_add_index(struct table *t, struct arena *a,
			  const struct json_value *index,
			  const struct json_value *definitions, struct refusal *no)
{
	struct types types = {.n = 0};
	size_t globals = 0;
	enum err e = read_types(t, a, definitions, &types, no);

	if (e != OK)
		return e;
	for (size_t i = 0; i < t->n_indexes; i++) {
		globals += !t->indexes[i].is_local;
		add_known(&types, t->indexes[i].keys.partition,
			  t->indexes[i].keys.partition_type);
		add_known(&types, t->indexes[i].keys.sort, t->indexes[i].keys.sort_type);
	}
	add_known(&types, t->keys.partition, t->keys.partition_type);
	add_known(&types, t->keys.sort, t->keys.sort_type);
	if (globals >= TABLE_GLOBALS_MOST) {
		*no = (struct refusal){
			"LimitExceededException",
			"Subscriber limit exceeded: a table has at most 20 "
			"global secondary indexes"};
		return ERR_MALFORMED;
	}
	return read_index(t, a, index, false, &types, no);
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
