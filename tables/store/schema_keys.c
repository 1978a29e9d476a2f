/* Attributes and keys of a definition: AttributeDefinitions, KeySchema. */
#include "tables/store/schema_parts.h"

#include "json/walk.h"

enum err schema_copy_text(struct table *t, const struct fields *f, const char *name,
			  struct span *out, struct refusal *no)
{
	enum err e = fields_need_text(f, name, out, no);

	if (e == OK)
		*out = arena_copy(t->arena, *out);
	return e;
}

enum err schema_check_name(const struct fields *f, const char *what, struct span name,
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

/* ---- attributes ---- */

static enum err read_type(struct table *t, const struct fields *f,
			  struct schema_types *out, struct refusal *no)
{
	static const char *const words[] = {"S", "N", "B", NULL};
	struct schema_type *one = &out->all[out->n];
	struct span word;
	int type = 0;
	enum err e = schema_copy_text(t, f, "AttributeName", &one->name, no);

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
				      SCHEMA_WRONG "Duplicate AttributeName in "
						   "AttributeDefinitions: %.*s",
				      SPAN_ARG(one->name));
	one->type = (enum value_type)type;
	one->is_used = false;
	out->n++;
	return OK;
}

enum err schema_read_types(struct table *t, struct arena *a, const struct json_value *v,
			   struct schema_types *out, struct refusal *no)
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

		if (out->n == SCHEMA_TYPES_MOST)
			return refuse(a, no,
				      SCHEMA_WRONG "Too many AttributeDefinitions");
		e = fields_read(a, &one, &f, no);
		if (e == OK)
			e = read_type(t, &f, out, no);
	}
	return e;
}

struct schema_type *schema_find_type(struct schema_types *types, struct span name)
{
	for (size_t i = 0; i < types->n; i++)
		if (span_eq(types->all[i].name, name))
			return &types->all[i];
	return NULL;
}

/* ---- keys ---- */

static enum err read_key(struct arena *a, const struct json_value *v, size_t at,
			 struct schema_types *types, struct schema_type **out,
			 struct refusal *no)
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
	*out = schema_find_type(types, name);
	if (*out == NULL)
		return refuse(a, no,
			      SCHEMA_WRONG "Some index key attributes are not defined in "
					   "AttributeDefinitions. Keys: [%.*s]",
			      SPAN_ARG(name));
	(*out)->is_used = true;
	return OK;
}

enum err schema_read_keys(const struct fields *f, struct schema_types *types,
			  struct key_schema *out, struct refusal *no)
{
	const struct json_value *v;
	struct json_value one;
	struct json_walk w;
	struct span name;
	struct schema_type *found[2] = {NULL, NULL};
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
				      SCHEMA_WRONG "KeySchema has more than 2 elements");
		e = read_key(f->arena, &one, n, types, &found[n], no);
		if (e != OK)
			return e;
		n++;
	}
	if (found[0] == NULL)
		return refuse(f->arena, no, SCHEMA_WRONG "KeySchema is empty");
	if (found[0] == found[1])
		return refuse(f->arena, no,
			      "Both the Hash Key and the Range Key element in the "
			      "KeySchema have the same name");
	out->partition = found[0]->name;
	out->partition_type = found[0]->type;
	out->sort = found[1] ? found[1]->name : (struct span){0};
	out->sort_type = found[1] ? found[1]->type : VALUE_S;
	return OK;
}

enum err schema_check_all_used(const struct fields *f, const struct schema_types *types,
			       struct refusal *no)
{
	for (size_t i = 0; i < types->n; i++)
		if (!types->all[i].is_used)
			return refuse(f->arena, no,
				      SCHEMA_WRONG
				      "Number of attributes in KeySchema does not "
				      "exactly match number of attributes defined in "
				      "AttributeDefinitions: %.*s is not a key",
				      SPAN_ARG(types->all[i].name));
	return OK;
}
