#include "read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const struct json_path whole = {NULL, 0};

enum err read_text(struct arena *a, struct span text, struct value *out,
		   struct refusal *no)
{
	struct json_value v;

	cr_assert(eq(int, json_find(text, &whole, &v), OK), "%.*s", SPAN_ARG(text));
	return value_read(a, &v, out, no);
}

struct value read_value(struct arena *a, const char *text)
{
	struct value v;
	struct refusal no = {NULL, ""};

	cr_assert(eq(int, read_text(a, span_str(text), &v, &no), OK), "%s: %s", text,
		  no.message);
	return v;
}

enum err read_item(struct arena *a, struct span text, struct value_map *out,
		   struct refusal *no)
{
	struct json_value v;

	cr_assert(eq(int, json_find(text, &whole, &v), OK), "%.*s", SPAN_ARG(text));
	return value_read_map(a, &v, out, no);
}

static char *end(struct arena *a, struct json_out *o)
{
	struct blob *b = json_out_end(o);
	char *text = arena_printf(a, "%.*s", (int)b->n, (const char *)b->p);

	blob_unref(b);
	return text;
}

char *written(struct arena *a, const struct value *v)
{
	struct json_out o;

	json_out_init(&o, 16);
	value_write(&o, v);
	return end(a, &o);
}

char *written_item(struct arena *a, const struct value_map *m)
{
	struct json_out o;

	json_out_init(&o, 16);
	value_write_map(&o, m);
	return end(a, &o);
}
