/*
 * Items of tables, from the JSON of a client. What is read is in canonical form: it is written,
 * and read as the same, and written as the same bytes. Keys of any bytes are refused or come back.
 */
#include "tables/value/key.h"
#include "tables/value/value_json.h"

#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_sorted(const struct value *v);

static void check_map(const struct value_map *m)
{
	for (size_t i = 0; i < m->n; i++) {
		check(i == 0 ||
		      span_compare(m->members[i - 1].name, m->members[i].name) < 0);
		check(value_find(m, m->members[i].name) == &m->members[i].value);
		check_sorted(&m->members[i].value);
	}
}

static void check_sorted(const struct value *v)
{
	if (v->type == VALUE_M)
		check_map(&v->map);
	for (size_t i = 0; v->type == VALUE_L && i < v->list.n; i++)
		check_sorted(&v->list.items[i]);
	for (size_t i = 1; v->type >= VALUE_SS && i < v->list.n; i++)
		check(value_compare(&v->list.items[i - 1], &v->list.items[i]) < 0);
}

static struct blob *write_item(const struct value_map *m)
{
	struct json_out o;

	json_out_init(&o, 64);
	value_write_map(&o, m);
	return json_out_end(&o);
}

static void check_item(struct arena *a, const struct value_map *item)
{
	struct blob *once = write_item(item), *twice;
	struct value_map again;
	struct value whole = {.type = VALUE_M, .map = *item}, other = {.type = VALUE_M};

	check_map(item);
	check(value_read_stored(a, blob_span(once), &again) == OK);
	other.map = again;
	check(value_equal(&whole, &other));
	check(item_size(item) == item_size(&again));
	twice = write_item(&again);
	check(span_eq(blob_span(once), blob_span(twice)));
	blob_unref(once);
	blob_unref(twice);
}

static void check_key(struct arena *a, struct span in, enum value_type t)
{
	struct span rest = in;
	struct value v;
	struct key k = {0};

	if (key_take(a, &rest, t, &v) != OK)
		return;
	key_append(a, &k, &v);
	check(span_eq(span_of(k.p, k.n), span_of(in.p, in.n - rest.n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct json_path whole = {NULL, 0};
	struct arena *a = arena_new();
	struct span in = span_of(n ? p : (const uint8_t *)"", n);
	struct json_value v;
	struct value one;
	struct value_map item;
	struct refusal no = {0};

	if (json_find(in, &whole, &v) == OK) {
		if (value_read_map(a, &v, &item, &no) == OK)
			check_item(a, &item);
		else
			check(no.type != NULL && no.message != NULL);
		no = (struct refusal){0};
		if (value_read(a, &v, &one, &no) == OK)
			check_sorted(&one);
		else
			check(no.type != NULL && no.message != NULL);
	}
	for (enum value_type t = VALUE_S; t <= VALUE_B; t++)
		check_key(a, in, t);
	arena_free(a);
	return 0;
}
