#include "tables/operations/item_key.h"

#include <stdlib.h>

const char item_key_no_match[] = "The provided key element does not match the schema";

#define WRONG     "One or more parameter values were invalid: "
#define NOT_VALID "One or more parameter values are not valid. "

/* A value of a key's own type: not empty, not too long. */
static enum err check_size(struct arena *a, struct span name, const struct value *v,
			   bool is_sort, struct refusal *no)
{
	size_t most = is_sort ? KEY_SORT_MOST : KEY_PARTITION_MOST;

	if (v->type != VALUE_N && v->bytes.n == 0)
		return refuse(a, no,
			      NOT_VALID "The AttributeValue for a key attribute cannot "
					"contain an empty %s value. Key: %.*s",
			      v->type == VALUE_S ? "string" : "binary", SPAN_ARG(name));
	if (v->bytes.n <= most)
		return OK;
	return refuse(
		a, no,
		is_sort ? WRONG "Aggregated size of all range keys has exceeded the "
				"size limit of 1024 bytes"
			: WRONG "Size of hashkey has exceeded the maximum size limit "
				"of2048 bytes");
}

static enum err check_one(struct arena *a, const struct value_map *item, struct span name,
			  enum value_type type, bool is_sort, struct refusal *no)
{
	const struct value *v = value_find(item, name);

	if (v == NULL)
		return refuse(a, no, WRONG "Missing the key %.*s in the item",
			      SPAN_ARG(name));
	if (v->type != type)
		return refuse(
			a, no, WRONG "Type mismatch for key %.*s expected: %s actual: %s",
			SPAN_ARG(name), value_type_name(type), value_type_name(v->type));
	return check_size(a, name, v, is_sort, no);
}

enum err item_key_check_item(struct arena *a, const struct table *t,
			     const struct value_map *item, struct refusal *no)
{
	const struct key_schema *k = &t->keys;
	enum err e = check_one(a, item, k->partition, k->partition_type, false, no);

	if (e == OK && k->sort.n > 0)
		e = check_one(a, item, k->sort, k->sort_type, true, no);
	return e;
}

static bool has_type(const struct value_map *key, struct span name, enum value_type type)
{
	const struct value *v = value_find(key, name);

	return v != NULL && v->type == type;
}

enum err item_key_check(struct arena *a, const struct table *t,
			const struct value_map *key, struct refusal *no)
{
	const struct key_schema *k = &t->keys;

	if (key->n != 1u + (k->sort.n > 0) ||
	    !has_type(key, k->partition, k->partition_type) ||
	    (k->sort.n > 0 && !has_type(key, k->sort, k->sort_type)))
		return refuse(a, no, "%s", item_key_no_match);
	return item_key_check_item(a, t, key, no);
}

/* ---- indexes ---- */

static enum err check_index_key(struct arena *a, const struct table_index *x,
				const struct value_map *item, struct span name,
				enum value_type type, bool is_sort, struct refusal *no)
{
	const struct value *v = value_find(item, name);

	if (v == NULL)
		return OK;
	if (v->type != type)
		return refuse(a, no,
			      WRONG
			      "Type mismatch for Index Key %.*s Expected: %s Actual: "
			      "%s IndexName: %.*s",
			      SPAN_ARG(name), value_type_name(type),
			      value_type_name(v->type), SPAN_ARG(x->name));
	if (type != VALUE_N && v->bytes.n == 0)
		return refuse(a, no,
			      NOT_VALID
			      "A value specified for a secondary index key is not "
			      "supported. The AttributeValue for a key attribute "
			      "cannot contain an empty %s value. IndexName: %.*s, "
			      "IndexKey: %.*s",
			      type == VALUE_S ? "string" : "binary", SPAN_ARG(x->name),
			      SPAN_ARG(name));
	return check_size(a, name, v, is_sort, no);
}

enum err item_key_check_indexes(struct arena *a, const struct table *t,
				const struct value_map *item, struct refusal *no)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < t->n_indexes; i++) {
		const struct table_index *x = &t->indexes[i];

		e = check_index_key(a, x, item, x->keys.partition, x->keys.partition_type,
				    false, no);
		if (e == OK && x->keys.sort.n > 0)
			e = check_index_key(a, x, item, x->keys.sort, x->keys.sort_type,
					    true, no);
	}
	return e;
}

static int by_name(const void *a, const void *b)
{
	return span_compare(((const struct value_member *)a)->name,
			    ((const struct value_member *)b)->name);
}

static void add_member(struct value_member *members, size_t *n,
		       const struct value_map *item, struct span name)
{
	const struct value *v = name.n > 0 ? value_find(item, name) : NULL;

	if (v == NULL)
		return;
	for (size_t i = 0; i < *n; i++)
		if (span_eq(members[i].name, name))
			return;
	members[(*n)++] = (struct value_member){name, *v};
}

struct value_map item_key_of(struct arena *a, const struct table *t,
			     const struct table_index *index,
			     const struct value_map *item)
{
	struct value_member *members = arena_alloc(a, 4 * sizeof *members);
	size_t n = 0;

	add_member(members, &n, item, t->keys.partition);
	add_member(members, &n, item, t->keys.sort);
	if (index != NULL) {
		add_member(members, &n, item, index->keys.partition);
		add_member(members, &n, item, index->keys.sort);
	}
	qsort(members, n, sizeof *members, by_name);
	return (struct value_map){members, n};
}
