#include "fixture.h"

#include "json/walk.h"

#include <assert.h>

static char *exchange(struct arena *a, struct span text, char from, char to)
{
	char *out = arena_alloc(a, text.n + 1);

	for (size_t i = 0; i < text.n; i++)
		out[i] = text.p[i] == from ? to : (char)text.p[i];
	out[text.n] = '\0';
	return out;
}

struct json_value fixture_json(struct arena *a, const char *text)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;
	enum err e =
		json_find(span_str(exchange(a, span_str(text), '\'', '"')), &whole, &v);

	assert(e == OK);
	return v;
}

const struct value_map *fixture_item(struct arena *a, const char *text)
{
	struct value_map *item = arena_calloc(a, 1, sizeof *item);
	struct json_value v;
	struct refusal no;
	enum err e;

	if (!text)
		return NULL;
	v = fixture_json(a, text);
	e = value_read_map(a, &v, item, &no);
	assert(e == OK);
	return item;
}

/* {'#a':'status'} as a map of S. */
static const struct value_map *names_of(struct arena *a, const char *text)
{
	struct json_value all, name;
	struct json_walk w;
	struct span key;
	char *out = arena_printf(a, "{"), *comma = "";

	if (!text)
		return NULL;
	all = fixture_json(a, text);
	w = json_walk(&all);
	while (json_walk_next(&w, &key, &name)) {
		out = arena_printf(a, "%s%s%.*s:{\"S\":%.*s}", out, comma, SPAN_ARG(key),
				   SPAN_ARG(name.raw));
		comma = ",";
	}
	return fixture_item(a, arena_printf(a, "%s}", out));
}

struct placeholders *fixture_placeholders(struct arena *a, const char *names,
					  const char *values)
{
	struct placeholders *p;
	struct refusal no;
	enum err e =
		placeholders_new(a, names_of(a, names), fixture_item(a, values), &p, &no);

	assert(e == OK);
	return p;
}

char *fixture_written(struct arena *a, const struct value_map *item)
{
	struct json_out o;
	struct blob *blob;
	char *text;

	json_out_init(&o, 256);
	value_write_map(&o, item);
	blob = json_out_end(&o);
	text = exchange(a, span_of(blob->p, blob->n), '"', '\'');
	blob_unref(blob);
	return text;
}

char *fixture_repeat(struct arena *a, const char *text, size_t n)
{
	size_t length = strlen(text);
	char *out = arena_alloc(a, n * length + 1);

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * length, text, length);
	out[n * length] = '\0';
	return out;
}
