#include "base/base64.h"
#include "tables/value/reader.h"

#include <stdlib.h>

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

		if (strlen(out) + s.n > READER_ECHO)
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
	e = scalar_read(rd, &v);
	if (e == OK)
		e = reader_charge(rd, v.bytes.n > 0 ? value_size(&v) : 1);
	if (e == OK)
		reader_push(rd)->value = v;
	return e;
}

enum err set_read(struct reader *rd, struct value *out)
{
	size_t base = rd->n;
	enum value_type of = out->type == VALUE_SS   ? VALUE_S
			     : out->type == VALUE_NS ? VALUE_N
						     : VALUE_B;
	enum err e = reader_enter_list(rd);

	while (e == OK && json_cursor_more(&rd->c))
		e = read_element(rd, of);
	if (e != OK)
		return e;
	return rd->n == base ? refuse_empty_set(rd, out->type) : pop_set(rd, base, out);
}
