#include "tables/value/value_json.h"

#include "base/base64.h"
#include "base/mem.h"
#include "json/cursor.h"
#include "json/string.h"
#include "tables/value/number.h"

#include <stdlib.h>

enum {
	SCRATCH = 64, /* members that are read without asking for memory */
	ECHO = 256,   /* bytes of a request that a refusal repeats */
};

/* Members and elements wait on a stack until all of their map or list are there. */
struct reader {
	struct json_cursor c;
	struct arena *a;
	struct refusal *no;
	size_t left; /* bytes, by value_size, that may still come */
	struct value_member *stack;
	size_t n, room;
	struct value_member scratch[SCRATCH];
};

static enum err read_value(struct reader *rd, unsigned level, struct value *out);

static const char empty[] = "Supplied AttributeValue is empty, must contain exactly one "
			    "of the supported datatypes";
static const char several[] = "Supplied AttributeValue has more than one datatypes set, "
			      "must contain exactly one of the supported datatypes";

static enum err serialization(struct reader *rd, const char *message)
{
	*rd->no = (struct refusal){"SerializationException", message};
	return ERR_MALFORMED;
}

/* A value of this kind stands where one of class (DynamoDB's name) should. */
static enum err misfit(struct reader *rd, enum json_kind kind, const char *class)
{
	static const char *const names[] = {
		[JSON_IS_STRING] = "STRING_VALUE", [JSON_IS_NUMBER] = "NUMBER_VALUE",
		[JSON_IS_TRUE] = "TRUE_VALUE",     [JSON_IS_FALSE] = "FALSE_VALUE",
		[JSON_IS_NULL] = "NULL_VALUE",     [JSON_IS_MISSING] = "NULL_VALUE",
	};

	if (kind == JSON_IS_OBJECT)
		return serialization(
			rd, "Start of structure or map found where not expected");
	if (kind == JSON_IS_ARRAY)
		return serialization(
			rd, arena_printf(rd->a, "Unrecognized collection type class %s",
					 class));
	return serialization(rd, arena_printf(rd->a, "%s cannot be converted to %s",
					      names[kind], class));
}

static enum err charge(struct reader *rd, size_t n)
{
	if (n > rd->left)
		return refuse(rd->a, rd->no,
			      "Item size has exceeded the maximum allowed size");
	rd->left -= n;
	return OK;
}

/* ---- text, numbers, bytes ---- */

static enum err unescape(struct reader *rd, struct span raw, struct span *out)
{
	struct span bare = span_of(raw.p + 1, raw.n - 2);

	*out = bare;
	if (!memchr(bare.p, '\\', bare.n))
		return OK;
	if (json_unescape(raw, arena_alloc(rd->a, raw.n), raw.n, out) != OK)
		return serialization(rd, "Half of a surrogate pair in a string");
	return OK;
}

static enum err read_text(struct reader *rd, const char *class, struct span *out)
{
	enum json_kind kind = json_cursor_kind(&rd->c);

	if (kind != JSON_IS_STRING)
		return misfit(rd, kind, class);
	return unescape(rd, json_cursor_value(&rd->c), out);
}

static enum err refuse_number(struct reader *rd, struct span text, const char *why)
{
	if (why)
		return refuse(rd->a, rd->no, "%s", why);
	if (text.n > ECHO)
		text.n = ECHO;
	return refuse(rd->a, rd->no,
		      "The parameter cannot be converted to a numeric value: %.*s",
		      SPAN_ARG(text));
}

static enum err read_number(struct reader *rd, struct span *out)
{
	struct number x;
	const char *why;
	char text[NUMBER_TEXT];
	enum err e = read_text(rd, "String", out);

	if (e != OK || number_is_plain(*out))
		return e;
	if (number_read(*out, &x, &why) != OK)
		return refuse_number(rd, *out, why);

	struct span canonical = span_of(text, number_write(&x, text));

	if (!span_eq(canonical, *out))
		*out = arena_copy(rd->a, canonical);
	return OK;
}

static enum err read_binary(struct reader *rd, struct span *out)
{
	enum json_kind kind = json_cursor_kind(&rd->c);
	struct span code;
	uint8_t *to;
	enum err e;

	if (kind != JSON_IS_STRING)
		return serialization(
			rd, "only base-64-encoded strings are convertible to bytes");
	e = read_text(rd, "ByteBuffer", &code);
	if (e != OK)
		return e;
	if (code.n % 4 != 0)
		return serialization(
			rd, arena_printf(rd->a,
					 "Base64 encoded length is expected a multiple "
					 "of 4 bytes but found: %zu",
					 code.n));
	to = arena_alloc(rd->a, code.n / 4 * 3);
	out->p = to;
	if (base64_decode(code, to, &out->n) != OK)
		return serialization(rd, "Invalid Base64 character or padding");
	return OK;
}

/* An S, N or B, of which out->type says which. */
static enum err read_scalar(struct reader *rd, struct value *out)
{
	if (out->type == VALUE_N)
		return read_number(rd, &out->bytes);
	if (out->type == VALUE_B)
		return read_binary(rd, &out->bytes);
	return read_text(rd, "String", &out->bytes);
}

static enum err read_truth(struct reader *rd, struct value *out)
{
	enum json_kind kind = json_cursor_kind(&rd->c);

	if (kind != JSON_IS_TRUE && kind != JSON_IS_FALSE)
		return misfit(rd, kind, "Boolean");
	json_cursor_value(&rd->c);
	if (out->type == VALUE_NULL && kind == JSON_IS_FALSE)
		return refuse(rd->a, rd->no,
			      "One or more parameter values were invalid: Null "
			      "attribute value types must have the value of true");
	out->truth = kind == JSON_IS_TRUE;
	return OK;
}

/* ---- lists and sets ---- */

static struct value_member *push(struct reader *rd)
{
	if (rd->n == rd->room) {
		struct value_member *old = rd->stack;

		rd->room *= 2;
		rd->stack = xrealloc(old == rd->scratch ? NULL : old,
				     rd->room * sizeof *rd->stack);
		if (old == rd->scratch)
			memcpy(rd->stack, old, sizeof rd->scratch);
	}
	return &rd->stack[rd->n++];
}

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

static enum err enter_list(struct reader *rd)
{
	enum json_kind kind = json_cursor_kind(&rd->c);

	if (kind != JSON_IS_ARRAY)
		return misfit(rd, kind, "List");
	json_cursor_enter(&rd->c);
	return OK;
}

/* Its elements are on this level. */
static enum err read_list(struct reader *rd, unsigned level, struct value *out)
{
	size_t base = rd->n;
	enum err e = enter_list(rd);

	while (e == OK && json_cursor_more(&rd->c)) {
		struct value item;

		e = charge(rd, 1);
		if (e == OK)
			e = read_value(rd, level, &item);
		if (e == OK)
			push(rd)->value = item;
	}
	if (e == OK)
		pop_list(rd, base, &out->list);
	return e;
}

static int by_value(const void *a, const void *b)
{
	return value_compare(a, b);
}

/* The elements of a set from base on, as they came: "[a, a]", not all when they are many. */
static const char *echo(struct reader *rd, size_t base)
{
	const char *out = "[";

	for (size_t i = base; i < rd->n; i++) {
		struct span s = rd->stack[i].value.bytes;

		if (strlen(out) + s.n > ECHO)
			return arena_printf(rd->a, "%s…]", out);
		if (rd->stack[i].value.type == VALUE_B) {
			char *code = arena_alloc(rd->a, base64_length(s.n));

			s = span_of(code, base64_encode(s, code));
		}
		out = arena_printf(rd->a, "%s%s%.*s", out, i > base ? ", " : "",
				   SPAN_ARG(s));
	}
	return arena_printf(rd->a, "%s]", out);
}

static enum err refuse_duplicates(struct reader *rd, enum value_type set, size_t base)
{
	if (set == VALUE_NS)
		return refuse(rd->a, rd->no, "Input collection contains duplicates");
	return refuse(rd->a, rd->no,
		      "One or more parameter values were invalid: Input collection %s%s",
		      echo(rd, base),
		      set == VALUE_BS ? "of type BS contains duplicates."
				      : " contains duplicates.");
}

static enum err refuse_empty_set(struct reader *rd, enum value_type set)
{
	return refuse(rd->a, rd->no, "One or more parameter values were invalid: %s",
		      set == VALUE_SS   ? "An string set  may not be empty"
		      : set == VALUE_NS ? "An number set  may not be empty"
					: "Binary sets should not be empty");
}

/* The values from base on, ascending and each once. */
static enum err pop_set(struct reader *rd, size_t base, struct value *out)
{
	size_t n = rd->n - base;
	struct value *items = arena_alloc(rd->a, n * sizeof *items);
	bool ascending = true;

	for (size_t i = 0; i < n; i++) {
		items[i] = rd->stack[base + i].value;
		if (i > 0 && value_compare(&items[i - 1], &items[i]) >= 0)
			ascending = false;
	}
	if (!ascending) {
		qsort(items, n, sizeof *items, by_value);
		for (size_t i = 1; i < n; i++)
			if (value_compare(&items[i - 1], &items[i]) == 0)
				return refuse_duplicates(rd, out->type, base);
	}
	rd->n = base;
	out->list = (struct value_list){items, n};
	return OK;
}

static enum err read_element(struct reader *rd, enum value_type t)
{
	struct value v = {.type = t};
	enum err e;

	if (json_cursor_kind(&rd->c) == JSON_IS_NULL)
		return refuse(rd->a, rd->no,
			      "One or more parameter values were invalid: A set may not "
			      "have a null as a member");
	e = read_scalar(rd, &v);
	if (e == OK)
		e = charge(rd, v.bytes.n > 0 ? value_size(&v) : 1);
	if (e == OK)
		push(rd)->value = v;
	return e;
}

static enum err read_set(struct reader *rd, struct value *out)
{
	size_t base = rd->n;
	enum value_type of = out->type == VALUE_SS   ? VALUE_S
			     : out->type == VALUE_NS ? VALUE_N
						     : VALUE_B;
	enum err e = enter_list(rd);

	while (e == OK && json_cursor_more(&rd->c))
		e = read_element(rd, of);
	if (e != OK)
		return e;
	return rd->n == base ? refuse_empty_set(rd, out->type) : pop_set(rd, base, out);
}

/* ---- maps ---- */

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
				return serialization(rd, "Two members of a map have the "
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
	enum err e = unescape(rd, json_cursor_name(&rd->c), &m.name);

	if (e == OK && m.name.n > VALUE_NAME_MOST)
		return refuse(rd->a, rd->no,
			      "One or more parameter values were invalid: The name of an "
			      "attribute must have length less than or equal to %d",
			      VALUE_NAME_MOST);
	if (e == OK)
		e = charge(rd, m.name.n + 1);
	if (e == OK)
		e = read_value(rd, level, &m.value);
	if (e == OK)
		*push(rd) = m;
	return e;
}

/* The members of the object that comes; their values are on this level. */
static enum err read_map(struct reader *rd, unsigned level, struct value_map *out)
{
	size_t base = rd->n;
	enum json_kind kind = json_cursor_kind(&rd->c);
	enum err e = OK;

	if (kind != JSON_IS_OBJECT)
		return misfit(rd, kind, "Map");
	json_cursor_enter(&rd->c);
	while (e == OK && json_cursor_more(&rd->c))
		e = read_member(rd, level);
	return e == OK ? pop_map(rd, base, out) : e;
}

/* ---- a value ---- */

/* The type that a member of a value stands for; VALUE_TYPES for none. */
static enum value_type type_of(struct span raw)
{
	for (int t = 0; t < VALUE_TYPES; t++)
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
	case VALUE_B: e = read_scalar(rd, out); break;
	case VALUE_BOOL:
	case VALUE_NULL: e = read_truth(rd, out); break;
	case VALUE_L: return read_list(rd, level + 1, out);
	case VALUE_M: return read_map(rd, level + 1, &out->map);
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS: return read_set(rd, out);
	case VALUE_TYPES: break;
	}
	return e == OK ? charge(rd, value_size(out)) : e;
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
			       ? misfit(rd, kind, "AttributeValue")
			       : serialization(rd, "Unexpected value type in payload");
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

static void reader_init(struct reader *rd, struct arena *a, const struct json_value *v,
			size_t left, struct refusal *no)
{
	rd->c = (struct json_cursor){v->raw.p, v->raw.p + v->raw.n};
	rd->a = a;
	rd->no = no;
	rd->left = left;
	rd->stack = rd->scratch;
	rd->n = 0;
	rd->room = SCRATCH;
}

static void reader_close(struct reader *rd)
{
	if (rd->stack != rd->scratch)
		free(rd->stack);
}

enum err value_read(struct arena *a, const struct json_value *v, struct value *out,
		    struct refusal *no)
{
	struct reader rd;
	enum err e;

	reader_init(&rd, a, v, VALUE_ITEM_MOST, no);
	e = read_value(&rd, 1, out);
	reader_close(&rd);
	return e;
}

enum err value_read_map(struct arena *a, const struct json_value *v,
			struct value_map *out, struct refusal *no)
{
	struct reader rd;
	enum err e;

	reader_init(&rd, a, v, VALUE_MAP_MOST, no);
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
