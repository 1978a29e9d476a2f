/*
 * An expression of each kind, with placeholders of all types, applied to an item; and, when the input is
 * JSON, the parameters from before expressions.
 */
#include "tables/expression/expression.h"
#include "tables/value/value_json.h"

#include <stdlib.h>

static const char names_json[] =
	"{\"#a\":{\"S\":\"a\"},\"#b\":{\"S\":\"b\"},\"#n\":{\"S\":\"n\"},\"#l\":{\"S\":"
	"\"l\"},"
	"\"#m\":{\"S\":\"m\"},\"#s\":{\"S\":\"status\"},\"#d\":{\"S\":\"a.b\"}}";

static const char values_json[] =
	"{\":a\":{\"S\":\"a\"},\":b\":{\"S\":\"S\"},\":n\":{\"N\":\"1\"},\":m\":{\"M\":{}"
	"},"
	"\":x\":{\"N\":\"9.9e125\"},\":l\":{\"L\":[{\"N\":\"1\"}]},\":t\":{\"BOOL\":true}"
	","
	"\":z\":{\"NULL\":true},\":i\":{\"B\":\"YQ==\"},\":s\":{\"SS\":[\"a\",\"b\"]},"
	"\":k\":{\"NS\":[\"1\",\"2\"]},\":y\":{\"BS\":[\"YQ==\"]}}";

static const char item_json[] =
	"{\"a\":{\"S\":\"ab\"},\"b\":{\"BOOL\":false},\"n\":{\"N\":\"9.8e125\"},\"s\":{"
	"\"SS\":"
	"[\"a\",\"c\"]},\"k\":{\"NS\":[\"2\"]},\"l\":{\"L\":[{\"N\":\"0\"},{\"M\":{\"a\":"
	"{\"N\":\"1\"}}},{\"L\":[]}]},\"m\":{\"M\":{\"a\":{\"M\":{\"a\":{\"S\":\"z\"}}},"
	"\"l\":"
	"{\"L\":[{\"S\":\"x\"}]}}},\"status\":{\"NULL\":true}}";

struct play {
	struct arena *a;
	const struct value_map *item;
	struct placeholders *placeholders;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static enum err read_map(struct arena *a, struct span text, struct value_map *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;
	struct refusal no;

	check(json_find(text, &whole, &v) == OK);
	return value_read_map(a, &v, out, &no);
}

static const struct value_map *map_of(struct arena *a, const char *json)
{
	struct value_map *m = arena_calloc(a, 1, sizeof *m);

	check(read_map(a, span_str(json), m) == OK);
	return m;
}

/* What was made is an item: in order, canonical, not too deep. */
static void check_item(struct arena *a, const struct value_map *item)
{
	struct value made = {.type = VALUE_M, .map = *item}, read = {.type = VALUE_M};
	struct json_out o;
	struct blob *blob;

	if (item_size(item) > VALUE_ITEM_MOST)
		return;
	json_out_init(&o, 256);
	value_write_map(&o, item);
	blob = json_out_end(&o);
	check(read_map(a, span_of(blob->p, blob->n), &read.map) == OK);
	check(value_equal(&made, &read));
	blob_unref(blob);
}

static void check_end(const struct play *p, enum err e, const struct refusal *no)
{
	struct refusal unused = {0};

	check(e == OK || (e == ERR_MALFORMED && no->type && no->message));
	e = placeholders_check(p->a, p->placeholders, &unused);
	check(e == OK || unused.message);
}

static void play_condition(const struct play *p, struct span text)
{
	struct refusal no = {0};
	struct condition *c;
	enum err e =
		condition_parse(p->a, "FilterExpression", text, p->placeholders, &c, &no);

	check_end(p, e, &no);
	if (e != OK)
		return;
	condition_holds(c, p->item);
	condition_holds(c, NULL);
	condition_names(c, span_str("a"));
}

static void apply(const struct play *p, const struct update *u)
{
	static const struct value_map empty;
	struct refusal no = {0};
	struct value_map out, part;

	if (update_apply(p->a, u, p->item, &out, &no) == OK) {
		check_item(p->a, &out);
		if (update_touched(p->a, u, &out, &part))
			check_item(p->a, &part);
	} else {
		check(no.message != NULL);
	}
	if (update_apply(p->a, u, &empty, &out, &no) == OK)
		check_item(p->a, &out);
	check(!update_touched(p->a, u, NULL, &part));
}

static void play_update(const struct play *p, struct span text)
{
	struct refusal no = {0};
	struct update *u;
	enum err e = update_parse(p->a, text, p->placeholders, &u, &no);

	check_end(p, e, &no);
	if (e == OK)
		apply(p, u);
}

static void play_projection(const struct play *p, struct span text)
{
	struct refusal no = {0};
	struct projection *projection;
	struct value_map out;
	size_t n;
	enum err e = projection_parse(p->a, text, p->placeholders, &projection, &no);

	check_end(p, e, &no);
	if (e != OK)
		return;
	projection_apply(p->a, projection, p->item, &out);
	check_item(p->a, &out);
	check(item_size(&out) <= item_size(p->item));
	projection_attributes(projection, &n);
	check(n >= out.n);
}

static struct key_names key_names(void)
{
	return (struct key_names){span_str("a"), VALUE_S, span_str("n"), VALUE_N};
}

static void play_key_condition(const struct play *p, struct span text)
{
	struct key_names names = key_names();
	struct key_condition c;
	struct refusal no = {0};
	enum err e = key_condition_parse(p->a, text, p->placeholders, &names, &c, &no);

	check_end(p, e, &no);
	check(e != OK || (c.partition && (c.test == SORT_ANY) == (c.low == NULL)));
}

static void play_legacy(const struct play *p, struct span text)
{
	static const struct json_path whole = {NULL, 0};
	struct key_names names = key_names();
	struct refusal no = {0};
	struct projection *projection;
	struct key_condition key;
	struct condition *c;
	struct update *u;
	struct json_value v;

	if (json_find(text, &whole, &v) != OK)
		return;
	if (legacy_updates(p->a, &v, &u, &no) == OK)
		apply(p, u);
	if (legacy_expected(p->a, &v, span_of(NULL, 0), &c, &no) == OK && c)
		condition_holds(c, p->item);
	if (legacy_filter(p->a, &v, span_str("OR"), &c, &no) == OK && c)
		condition_holds(c, p->item);
	check(legacy_key_conditions(p->a, &v, &names, &key, &no) == OK || no.message);
	check(legacy_attributes(p->a, &v, &projection, &no) == OK || no.message);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *a = arena_new();
	struct play p = {.a = a, .item = map_of(a, item_json)};
	struct span text = arena_copy(a, span_of(bytes, n));
	struct refusal no;

	check(placeholders_new(a, map_of(a, names_json), map_of(a, values_json),
			       &p.placeholders, &no) == OK);
	play_condition(&p, text);
	play_update(&p, text);
	play_projection(&p, text);
	play_key_condition(&p, text);
	play_legacy(&p, text);
	arena_free(a);
	return 0;
}
