#include "base/base64.h"
#include "tables/value/number.h"
#include "tables/value/reader.h"

enum err scalar_unescape(struct reader *rd, struct span raw, struct span *out)
{
	struct span bare = span_of(raw.p + 1, raw.n - 2);

	*out = bare;
	if (!memchr(bare.p, '\\', bare.n))
		return OK;
	if (json_unescape(raw, arena_alloc(rd->a, raw.n), raw.n, out) != OK)
		return reader_serialization(rd, "Half of a surrogate pair in a string");
	return OK;
}

static enum err read_text(struct reader *rd, const char *class, struct span *out)
{
	enum json_kind kind = json_cursor_kind(&rd->c);

	if (kind != JSON_IS_STRING)
		return reader_misfit(rd, kind, class);
	return scalar_unescape(rd, json_cursor_value(&rd->c), out);
}

static enum err refuse_number(struct reader *rd, struct span text, const char *why)
{
	if (why)
		return refuse(rd->a, rd->no, "%s", why);
	if (text.n > READER_ECHO)
		text.n = READER_ECHO;
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
	struct span code = {0};
	uint8_t *to;
	enum err e;

	if (kind != JSON_IS_STRING)
		return reader_serialization(
			rd, "only base-64-encoded strings are convertible to bytes");
	e = read_text(rd, "ByteBuffer", &code);
	if (e != OK)
		return e;
	if (code.n % 4 != 0)
		return reader_serialization(
			rd, arena_printf(rd->a,
					 "Base64 encoded length is expected a multiple "
					 "of 4 bytes but found: %zu",
					 code.n));
	to = arena_alloc(rd->a, code.n / 4 * 3);
	out->p = to;
	if (base64_decode(code, to, &out->n) != OK)
		return reader_serialization(rd, "Invalid Base64 character or padding");
	return OK;
}

/* An S, N or B, of which out->type says which. */
enum err scalar_read(struct reader *rd, struct value *out)
{
	if (out->type == VALUE_N)
		return read_number(rd, &out->bytes);
	if (out->type == VALUE_B)
		return read_binary(rd, &out->bytes);
	return read_text(rd, "String", &out->bytes);
}

enum err scalar_read_truth(struct reader *rd, struct value *out)
{
	enum json_kind kind = json_cursor_kind(&rd->c);

	if (kind != JSON_IS_TRUE && kind != JSON_IS_FALSE)
		return reader_misfit(rd, kind, "Boolean");
	json_cursor_value(&rd->c);
	if (out->type == VALUE_NULL && kind == JSON_IS_FALSE)
		return refuse(rd->a, rd->no,
			      "One or more parameter values were invalid: Null "
			      "attribute value types must have the value of true");
	out->truth = kind == JSON_IS_TRUE;
	return OK;
}
