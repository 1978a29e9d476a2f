#include "tables/store/fields.h"

#include "json/walk.h"
#include "json/string.h"

#include <ctype.h>
#include <stdlib.h>

enum err fields_refuse_type(struct arena *a, struct refusal *out, const char *name,
			    const char *expected)
{
	*out = (struct refusal){
		"SerializationException",
		arena_printf(a, "The member %s has the wrong JSON type: it must be %s",
			     name, expected)};
	return ERR_MALFORMED;
}

enum err fields_unescape(struct arena *a, struct span raw, struct span *out,
			 struct refusal *no)
{
	uint8_t *room = NULL;

	if (memchr(raw.p, '\\', raw.n) == NULL) {
		*out = span_of(raw.p + 1, raw.n - 2);
		return OK;
	}
	room = arena_alloc(a, raw.n);
	if (json_unescape(raw, room, raw.n, out) == OK)
		return OK;
	*no = (struct refusal){"SerializationException",
			       "A string has half of a surrogate pair"};
	return ERR_MALFORMED;
}

enum err fields_read(struct arena *a, const struct json_value *v, struct fields *out,
		     struct refusal *no)
{
	struct json_walk w;
	struct json_value value;
	struct span raw, name;

	out->arena = a;
	out->n = 0;
	if (v->kind != JSON_IS_OBJECT) {
		*no = (struct refusal){"SerializationException",
				       "Unexpected value: an object was expected"};
		return ERR_MALFORMED;
	}
	w = json_walk(v);
	while (json_walk_next(&w, &raw, &value)) {
		enum err e = fields_unescape(a, raw, &name, no);

		if (e != OK)
			return e;
		if (out->n == FIELDS_MOST)
			return refuse(a, no, "An object has more than %d members",
				      FIELDS_MOST);
		out->all[out->n++] = (struct field){name, value};
	}
	return OK;
}

const struct json_value *fields_find(const struct fields *f, const char *name)
{
	for (size_t i = f->n; i > 0; i--)
		if (span_is(f->all[i - 1].name, name))
			return f->all[i - 1].value.kind == JSON_IS_NULL
				       ? NULL
				       : &f->all[i - 1].value;
	return NULL;
}

/* DynamoDB's sentences name members with a small first letter. */
static const char *as_named(const struct fields *f, const char *name)
{
	char *own = arena_printf(f->arena, "%s", name);

	own[0] = (char)tolower((unsigned char)own[0]);
	return own;
}

enum err fields_missing(const struct fields *f, const char *name, struct refusal *no)
{
	return refuse(f->arena, no,
		      "1 validation error detected: Value null at '%s' failed to satisfy "
		      "constraint: Member must not be null",
		      as_named(f, name));
}

enum err fields_outside(const struct fields *f, const char *name, const char *value,
			const char *must, struct refusal *no)
{
	return refuse(f->arena, no,
		      "1 validation error detected: Value '%s' at '%s' failed to satisfy "
		      "constraint: Member must %s",
		      value, as_named(f, name), must);
}

enum err fields_text(const struct fields *f, const char *name, struct span *out,
		     struct refusal *no)
{
	const struct json_value *v = fields_find(f, name);

	*out = (struct span){0};
	if (v == NULL)
		return OK;
	if (v->kind != JSON_IS_STRING)
		return fields_refuse_type(f->arena, no, name, "a string");
	return fields_unescape(f->arena, v->raw, out, no);
}

enum err fields_need_text(const struct fields *f, const char *name, struct span *out,
			  struct refusal *no)
{
	enum err e = fields_text(f, name, out, no);

	return e != OK || out->p != NULL ? e : fields_missing(f, name, no);
}

enum err fields_truth(const struct fields *f, const char *name, bool *out,
		      struct refusal *no)
{
	const struct json_value *v = fields_find(f, name);

	if (v == NULL)
		return OK;
	if (v->kind != JSON_IS_TRUE && v->kind != JSON_IS_FALSE)
		return fields_refuse_type(f->arena, no, name, "true or false");
	*out = v->kind == JSON_IS_TRUE;
	return OK;
}

enum err fields_number(const struct fields *f, const char *name, int64_t *out,
		       bool *is_there, struct refusal *no)
{
	const struct json_value *v = fields_find(f, name);
	char text[24], *end;

	if (is_there != NULL)
		*is_there = v != NULL;
	if (v == NULL)
		return OK;
	if (v->kind != JSON_IS_NUMBER)
		return fields_refuse_type(f->arena, no, name, "a number");
	if (v->raw.n >= 19) /* would not fit */
		return fields_refuse_type(f->arena, no, name, "a number of 64 bits");
	memcpy(text, v->raw.p, v->raw.n);
	text[v->raw.n] = '\0';
	*out = strtoll(text, &end, 10);
	if (*end != '\0')
		return fields_refuse_type(f->arena, no, name, "a whole number");
	return OK;
}

static enum err find_kind(const struct fields *f, const char *name, enum json_kind kind,
			  const char *expected, const struct json_value **out,
			  struct refusal *no)
{
	*out = fields_find(f, name);
	if (*out == NULL || (*out)->kind == kind)
		return OK;
	return fields_refuse_type(f->arena, no, name, expected);
}

enum err fields_array(const struct fields *f, const char *name,
		      const struct json_value **out, struct refusal *no)
{
	return find_kind(f, name, JSON_IS_ARRAY, "an array", out, no);
}

enum err fields_object(const struct fields *f, const char *name,
		       const struct json_value **out, struct refusal *no)
{
	return find_kind(f, name, JSON_IS_OBJECT, "an object", out, no);
}

enum err fields_word(const struct fields *f, const char *name, const char *const *words,
		     int *out, struct refusal *no)
{
	struct span text;
	enum err e = fields_text(f, name, &text, no);
	char *all;

	if (e != OK || text.p == NULL)
		return e;
	for (int i = 0; words[i] != NULL; i++)
		if (span_is(text, words[i])) {
			*out = i;
			return OK;
		}
	all = arena_printf(f->arena, "%s", words[0]);
	for (int i = 1; words[i] != NULL; i++)
		all = arena_printf(f->arena, "%s, %s", all, words[i]);
	return fields_outside(f, name,
			      arena_printf(f->arena, "%.*s",
					   (int)(text.n < 100 ? text.n : 100), text.p),
			      arena_printf(f->arena, "satisfy enum value set: [%s]", all),
			      no);
}
