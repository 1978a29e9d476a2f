#include "cli/client/view.h"

#include "base/mem.h"
#include "cli/client/clean.h"
#include "json/string.h"
#include "json/walk.h"

#include <stdio.h>
#include <stdlib.h>

bool view_open(struct span text, struct json_value *v)
{
	static const struct json_path whole = {NULL, 0};

	return text.n > 0 && json_find(text, &whole, v) == OK &&
	       v->kind == JSON_IS_OBJECT;
}

struct json_value view_member(const struct json_value *object, const char *name)
{
	struct json_value v, found = {.kind = JSON_IS_MISSING};
	struct json_walk w;
	struct span key;

	if (object->kind != JSON_IS_OBJECT)
		return found;
	w = json_walk(object);
	while (json_walk_next(&w, &key, &v))
		if (json_string_is(key, span_str(name)))
			found = v;
	return found;
}

/* Freed with free(3). */
static char *characters_of(const struct json_value *v)
{
	uint8_t *room = xmalloc(v->raw.n + 1);
	struct span text;
	char *out;

	json_unescape_lenient(v->raw, room, &text);
	out = span_dup(text);
	free(room);
	return out;
}

char *view_text(const struct json_value *object, const char *name)
{
	struct json_value v = view_member(object, name);

	return v.kind == JSON_IS_STRING ? characters_of(&v) : xstrdup("");
}

int64_t view_number(const struct json_value *object, const char *name)
{
	struct json_value v = view_member(object, name);
	char *text;
	int64_t n;

	if (v.kind != JSON_IS_NUMBER)
		return 0;
	text = span_dup(v.raw);
	n = strtoll(text, NULL, 10);
	free(text);
	return n;
}

bool view_is_true(const struct json_value *object, const char *name)
{
	return view_member(object, name).kind == JSON_IS_TRUE;
}

bool view_is_false(const struct json_value *object, const char *name)
{
	return view_member(object, name).kind == JSON_IS_FALSE;
}

void view_print(const struct json_value *v)
{
	char *text = v->kind == JSON_IS_STRING ? characters_of(v) : span_dup(v->raw);

	clean_print(text);
	free(text);
}

/* Line ends may stand between the values. */
void view_print_line(const struct json_value *v)
{
	char *text = span_dup(v->raw);

	for (char *at = text; *at; at++)
		if (*at == '\n' || *at == '\r')
			*at = ' ';
	clean_print(text);
	free(text);
	putchar('\n');
}
