#include "tables/expression/legacy_read.h"
#include "json/string.h"
#include "json/walk.h"
#include "tables/value/value_json.h"

#include <stdarg.h>

enum err legacy_serialization(struct legacy *l, const char *message)
{
	*l->no = (struct refusal){"SerializationException", message};
	return ERR_MALFORMED;
}

enum err legacy_refuse(struct legacy *l, const char *fmt, ...)
{
	va_list args;
	char *message;

	va_start(args, fmt);
	message = arena_vprintf(l->a, fmt, args);
	va_end(args);
	return refuse(l->a, l->no, "One or more parameter values were invalid: %s",
		      message);
}

enum err legacy_expect(struct legacy *l, const struct json_value *v, enum json_kind kind)
{
	return v->kind == kind
		       ? OK
		       : legacy_serialization(l, "Unexpected value type in payload");
}

struct json_value legacy_member(const struct json_value *object, const char *name)
{
	struct json_walk w = json_walk(object);
	struct json_value v, found = {.kind = JSON_IS_MISSING};
	struct span key;

	while (json_walk_next(&w, &key, &v)) {
		if (json_string_is(key, span_str(name)))
			found = v;
	}
	if (found.kind == JSON_IS_NULL)
		found.kind = JSON_IS_MISSING;
	return found;
}

enum err legacy_text(struct legacy *l, struct span raw, struct span *out)
{
	uint8_t *room = arena_alloc(l->a, raw.n);

	if (json_unescape(raw, room, raw.n, out) != OK)
		return legacy_serialization(l, "a string has half of a surrogate pair");
	return OK;
}

enum err legacy_text_member(struct legacy *l, const struct json_value *object,
			    const char *name, struct span *out)
{
	struct json_value v = legacy_member(object, name);
	enum err e;

	*out = span_of(NULL, 0);
	if (v.kind == JSON_IS_MISSING)
		return OK;
	e = legacy_expect(l, &v, JSON_IS_STRING);
	return e == OK ? legacy_text(l, v.raw, out) : e;
}

enum err legacy_path(struct legacy *l, struct span raw, struct path *out)
{
	struct span name;
	enum err e = legacy_text(l, raw, &name);

	if (e != OK)
		return e;
	if (name.n == 0 || name.n > VALUE_NAME_MOST)
		return legacy_refuse(l, "an attribute name has 1 to %d bytes, not %zu",
				     VALUE_NAME_MOST, name.n);
	*out = path_of_name(l->a, name);
	return OK;
}

enum err legacy_value(struct legacy *l, const struct json_value *v,
		      const struct value **out)
{
	struct value *read = arena_calloc(l->a, 1, sizeof *read);

	*out = read;
	return value_read(l->a, v, read, l->no);
}
