#include "tables/value/reader.h"

#include "base/mem.h"

#include <stdlib.h>

void reader_init(struct reader *rd, struct arena *a, struct span text, size_t left,
		 struct refusal *no)
{
	rd->c = (struct json_cursor){text.p, text.p + text.n};
	rd->a = a;
	rd->no = no;
	rd->left = left;
	rd->stack = rd->scratch;
	rd->n = 0;
	rd->room = READER_SCRATCH;
}

void reader_close(struct reader *rd)
{
	if (rd->stack != rd->scratch)
		free(rd->stack);
}

enum err reader_serialization(struct reader *rd, const char *message)
{
	*rd->no = (struct refusal){"SerializationException", message};
	return ERR_MALFORMED;
}

/* A value of this kind stands where one of class (DynamoDB's name) should. */
enum err reader_misfit(struct reader *rd, enum json_kind kind, const char *class)
{
	static const char *const names[] = {
		[JSON_IS_STRING] = "STRING_VALUE", [JSON_IS_NUMBER] = "NUMBER_VALUE",
		[JSON_IS_TRUE] = "TRUE_VALUE",     [JSON_IS_FALSE] = "FALSE_VALUE",
		[JSON_IS_NULL] = "NULL_VALUE",     [JSON_IS_MISSING] = "NULL_VALUE",
	};

	if (kind == JSON_IS_OBJECT)
		return reader_serialization(
			rd, "Start of structure or map found where not expected");
	if (kind == JSON_IS_ARRAY)
		return reader_serialization(
			rd, arena_printf(rd->a, "Unrecognized collection type class %s",
					 class));
	return reader_serialization(
		rd,
		arena_printf(rd->a, "%s cannot be converted to %s", names[kind], class));
}

enum err reader_charge(struct reader *rd, size_t n)
{
	if (n > rd->left)
		return refuse(rd->a, rd->no,
			      "Item size has exceeded the maximum allowed size");
	rd->left -= n;
	return OK;
}

struct value_member *reader_push(struct reader *rd)
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

enum err reader_enter_list(struct reader *rd)
{
	enum json_kind kind = json_cursor_kind(&rd->c);

	if (kind != JSON_IS_ARRAY)
		return reader_misfit(rd, kind, "List");
	json_cursor_enter(&rd->c);
	return OK;
}
