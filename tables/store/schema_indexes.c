/* Indexes of a definition: LocalSecondaryIndexes, GlobalSecondaryIndexes. */
#include "tables/store/schema_parts.h"

#include "json/walk.h"

static enum err read_include(struct table *t, struct arena *a, const struct json_value *v,
			     struct table_index *x, struct refusal *no)
{
	size_t n = json_count(v), room = 0;
	struct span *names, raw;
	struct json_walk w = json_walk(v);
	struct json_value one;

	for (size_t i = 0; i < t->n_indexes; i++)
		room += t->indexes[i].n_include;
	if (n == 0 || n + room > TABLE_INCLUDE_MOST)
		return refuse(a, no,
			      SCHEMA_WRONG
			      "NonKeyAttributes has from 1 to %d names, of all "
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
		return refuse(a, no, SCHEMA_WRONG "Unknown ProjectionType: null");
	x->projection = (enum projection_type)type;
	if (x->projection == PROJECT_INCLUDE && include == NULL)
		return refuse(a, no,
			      SCHEMA_WRONG
			      "ProjectionType is INCLUDE, but NonKeyAttributes is "
			      "not specified");
	if (x->projection != PROJECT_INCLUDE && include != NULL)
		return refuse(a, no,
			      SCHEMA_WRONG
			      "ProjectionType is %s, but NonKeyAttributes is "
			      "specified",
			      words[type]);
	return include == NULL ? OK : read_include(t, a, include, x, no);
}

static enum err check_local(const struct table *t, const struct fields *f,
			    const struct table_index *x, struct refusal *no)
{
	if (t->keys.sort.n == 0)
		return refuse(f->arena, no,
			      SCHEMA_WRONG
			      "Table KeySchema does not have a range key, which is "
			      "required when specifying a LocalSecondaryIndex");
	if (!span_eq(t->keys.partition, x->keys.partition))
		return refuse(f->arena, no,
			      SCHEMA_WRONG
			      "Index KeySchema does not have the same leading hash "
			      "key as table KeySchema for index: %.*s",
			      SPAN_ARG(x->name));
	if (x->keys.sort.n == 0)
		return refuse(f->arena, no,
			      SCHEMA_WRONG
			      "Index KeySchema does not have a range key for "
			      "index: %.*s",
			      SPAN_ARG(x->name));
	return OK;
}

static enum err read_index(struct table *t, struct arena *a, const struct json_value *v,
			   bool is_local, struct schema_types *types, struct refusal *no)
{
	struct table_index *x = &t->indexes[t->n_indexes];
	struct fields f;
	int64_t number = t->next_index, state = INDEX_ACTIVE;
	enum err e = fields_read(a, v, &f, no);

	*x = (struct table_index){.is_local = is_local};
	if (e == OK)
		e = schema_copy_text(t, &f, "IndexName", &x->name, no);
	if (e == OK)
		e = schema_check_name(&f, "IndexName", x->name, no);
	if (e == OK && table_index(t, x->name) != NULL)
		return refuse(a, no, SCHEMA_WRONG "Duplicate index name: %.*s",
			      SPAN_ARG(x->name));
	if (e == OK)
		e = schema_read_keys(&f, types, &x->keys, no);
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

enum err schema_read_indexes(struct table *t, const struct fields *f, const char *name,
			     bool is_local, size_t most, struct schema_types *types,
			     struct refusal *no)
{
	const struct json_value *v;
	struct json_value one;
	struct json_walk w;
	struct span raw;
	enum err e = fields_array(f, name, &v, no);

	if (e != OK || v == NULL)
		return e;
	if (json_count(v) == 0)
		return refuse(f->arena, no, SCHEMA_WRONG "List of %s is empty", name);
	if (json_count(v) > most)
		return refuse(f->arena, no,
			      SCHEMA_WRONG "%s count exceeds the limit of %zu", name,
			      most);
	w = json_walk(v);
	while (e == OK && json_walk_next(&w, &raw, &one))
		e = read_index(t, f->arena, &one, is_local, types, no);
	return e;
}

/* The types of keys that the table has already are known. */
static void add_known(struct schema_types *types, struct span name, enum value_type type)
{
	struct schema_type *one = schema_find_type(types, name);

	if (name.n == 0 || types->n == SCHEMA_TYPES_MOST)
		return;
	if (one == NULL)
		types->all[types->n++] = (struct schema_type){name, type, true};
	else
		one->type = type;
}

enum err schema_add_index(struct table *t, struct arena *a,
			  const struct json_value *index,
			  const struct json_value *definitions, struct refusal *no)
{
	struct schema_types types = {.n = 0};
	size_t globals = 0;
	enum err e = schema_read_types(t, a, definitions, &types, no);

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
