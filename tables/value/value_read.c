#include "tables/value/value_json.h"

#include "json/string.h"
#include "tables/value/reader.h"

#include <stdlib.h>

static enum err read_value(struct reader *rd, unsigned level, struct value *out);

/* The values from base on, as a list of their own. */
static void pop_list(struct reader *rd, size_t base, struct value_list *out)
{
	size_t n = rd->n - base;
	struct value *items = arena_alloc(rd->a, n * sizeof *items);

	for (size_t i = 0; i < n; i++)
		items[i] = rd->stack[base + i].value;
	rd->n = base;
	*out = (struct value_list){items, n};
}

/* Its elements are on this level. */
static enum err read_list(struct reader *rd, unsigned level, struct value *out)
{
	size_t base = rd->n;
	enum err e = reader_enter_list(rd);

	while (e == OK && json_cursor_more(&rd->c)) {
		struct value item;

		e = reader_charge(rd, 1);
		if (e == OK)
			e = read_value(rd, level, &item);
		if (e == OK)
			reader_push(rd)->value = item;
	}
	if (e == OK)
		pop_list(rd, base, &out->list);
	return e;
}

static int by_name(const void *a, const void *b)
{
	const struct value_member *left = a, *right = b;

	return span_compare(left->name, right->name);
}

/* The members from base on, ascending and each once. */
static enum err pop_map(struct reader *rd, size_t base, struct value_map *out)
{
	size_t n = rd->n - base;
	struct value_member *members = rd->stack + base;
	bool ascending = true;

	for (size_t i = 1; i < n && ascending; i++)
		ascending = by_name(&members[i - 1], &members[i]) < 0;
	if (!ascending) {
		qsort(members, n, sizeof *members, by_name);
		for (size_t i = 1; i < n; i++)
			if (by_name(&members[i - 1], &members[i]) == 0)
				return reader_serialization(
					rd, "Two members of a map have the "
					    "same name");
	}
	*out = (struct value_map){arena_alloc(rd->a, n * sizeof *members), n};
	memcpy((void *)out->members, members, n * sizeof *members);
	rd->n = base;
	return OK;
}

static enum err read_member(struct reader *rd, unsigned level)
{
	struct value_member m;
	enum err e = scalar_unescape(rd, json_cursor_name(&rd->c), &m.name);

	if (e == OK && m.name.n > VALUE_NAME_MOST)
		return refuse(rd->a, rd->no,
			      "One or more parameter values were invalid: The name of an "
			      "attribute must have length less than or equal to %d",
			      VALUE_NAME_MOST);
	if (e == OK)
		e = reader_charge(rd, m.name.n + 1);
	if (e == OK)
		e = read_value(rd, level, &m.value);
	if (e == OK)
		*reader_push(rd) = m;
	return e;
}

/* The members of the object that comes; their values are on this level. */
static enum err read_map(struct reader *rd, unsigned level, struct value_map *out)
{
	size_t base = rd->n;
	enum json_kind kind = json_cursor_kind(&rd->c);
	enum err e = OK;

	if (kind != JSON_IS_OBJECT)
		return reader_misfit(rd, kind, "Map");
	json_cursor_enter(&rd->c);
	while (e == OK && json_cursor_more(&rd->c))
		e = read_member(rd, level);
	return e == OK ? pop_map(rd, base, out) : e;
}

static const char empty[] = "Supplied AttributeValue is empty, must contain exactly one "
			    "of the supported datatypes";
static const char several[] = "Supplied AttributeValue has more than one datatypes set, "
			      "must contain exactly one of the supported datatypes";

/* The type that a member of a value stands for; VALUE_TYPES for none. */
static enum value_type type_of(struct span raw)
{
	switch (raw.n == 3 ? raw.p[1] : 0) { /* nearly all of them */
	case 'S': return VALUE_S;
	case 'N': return VALUE_N;
	case 'B': return VALUE_B;
	case 'L': return VALUE_L;
	case 'M': return VALUE_M;
	default: break;
	}
	for (enum value_type t = VALUE_S; t < VALUE_TYPES; t++)
		if (json_string_is(raw, span_str(value_type_name(t))))
			return t;
	return VALUE_TYPES;
}

/* What the member of this type has. */
static enum err read_typed(struct reader *rd, unsigned level, struct value *out)
{
	enum err e = OK;

	switch (out->type) {
	case VALUE_S:
	case VALUE_N:
	case VALUE_B: e = scalar_read(rd, out); break;
	case VALUE_BOOL:
	case VALUE_NULL: e = scalar_read_truth(rd, out); break;
	case VALUE_L: return read_list(rd, level + 1, out);
	case VALUE_M: return read_map(rd, level + 1, &out->map);
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS: return set_read(rd, out);
	case VALUE_TYPES: break;
	}
	return e == OK ? reader_charge(rd, value_size(out)) : e;
}

/* Members that are null or of another name count as absent. */
static enum err read_value(struct reader *rd, unsigned level, struct value *out)
{
	enum json_kind kind = json_cursor_kind(&rd->c);
	bool found = false;
	enum err e = OK;

	if (level > VALUE_DEPTH_MOST)
		return refuse(rd->a, rd->no,
			      "Nesting Levels have exceeded supported limits: Attributes "
			      "in the item have nested levels beyond supported limit");
	if (kind == JSON_IS_NULL)
		return refuse(rd->a, rd->no, empty);
	if (kind != JSON_IS_OBJECT)
		return kind == JSON_IS_ARRAY
			       ? reader_misfit(rd, kind, "AttributeValue")
			       : reader_serialization(rd,
						      "Unexpected value type in payload");
	json_cursor_enter(&rd->c);
	while (e == OK && json_cursor_more(&rd->c)) {
		enum value_type t = type_of(json_cursor_name(&rd->c));

		if (t == VALUE_TYPES || json_cursor_kind(&rd->c) == JSON_IS_NULL) {
			json_cursor_value(&rd->c);
			continue;
		}
		if (found)
			return refuse(rd->a, rd->no, several);
		found = true;
		*out = (struct value){.type = t};
		e = read_typed(rd, level, out);
	}
	return e != OK || found ? e : refuse(rd->a, rd->no, empty);
}

enum err value_read(struct arena *a, const struct json_value *v, struct value *out,
		    struct refusal *no)
{
	struct reader rd;
	enum err e;

	reader_init(&rd, a, v->raw, VALUE_ITEM_MOST, no);
	e = read_value(&rd, 1, out);
	reader_close(&rd);
	return e;
}

enum err value_read_map(struct arena *a, const struct json_value *v,
			struct value_map *out, struct refusal *no)
{
	struct reader rd;
	enum err e;

	reader_init(&rd, a, v->raw, VALUE_MAP_MOST, no);
	e = read_map(&rd, 1, out);
	reader_close(&rd);
	return e;
}

enum err value_read_stored(struct arena *a, struct span text, struct value_map *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;
	struct refusal no;

	if (json_find(text, &whole, &v) != OK)
		return ERR_MALFORMED;
	return value_read_map(a, &v, out, &no);
}
