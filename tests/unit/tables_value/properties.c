#include "base/mem.h"
#include "dice.h"
#include "read.h"
#include "tables/value/key.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

enum { ROUNDS = 2 };

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static struct span encoded(struct arena *a, const struct value *v,
			   const struct value *tail)
{
	struct key k = {0};

	key_append(a, &k, v);
	if (tail)
		key_append(a, &k, tail);
	return span_of(k.p, k.n);
}

/* Tables, section 7: encoded keys are in the order of their values, also with a sort key behind. */
Test(properties, keys_sort_as_their_values_do)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct dice d = dice_new(round);

		for (int i = 0; i < 60000; i++) {
			struct arena *a = arena_new();
			enum value_type t = dice_throw(&d, 3), u = dice_throw(&d, 3);
			struct value x = dice_scalar(&d, a, t), y = dice_scalar(&d, a, t);
			struct value p = dice_scalar(&d, a, u), q = dice_scalar(&d, a, u);
			int order = sign(value_compare(&x, &y));
			int both = order ? order : sign(value_compare(&p, &q));

			cr_assert(eq(int,
				     sign(span_compare(encoded(a, &x, NULL),
						       encoded(a, &y, NULL))),
				     order),
				  "seed %lu", d.seed);
			cr_assert(eq(int,
				     sign(span_compare(encoded(a, &x, &p),
						       encoded(a, &y, &q))),
				     both),
				  "seed %lu", d.seed);
			cr_assert(eq(int, value_equal(&x, &y), order == 0), "seed %lu",
				  d.seed);
			arena_free(a);
		}
	}
}

Test(properties, keys_come_back_as_they_were)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct dice d = dice_new(round);

		for (int i = 0; i < 40000; i++) {
			struct arena *a = arena_new();
			enum value_type t = dice_throw(&d, 3), u = dice_throw(&d, 3);
			struct value x = dice_scalar(&d, a, t), y = dice_scalar(&d, a, u),
				     v, w;
			struct span rest = encoded(a, &x, &y);

			cr_assert(eq(int, key_take(a, &rest, t, &v), OK), "seed %lu",
				  d.seed);
			cr_assert(eq(int, key_take(a, &rest, u, &w), OK), "seed %lu",
				  d.seed);
			cr_assert(value_equal(&x, &v), "seed %lu", d.seed);
			cr_assert(value_equal(&y, &w), "seed %lu", d.seed);
			cr_assert(zero(sz, rest.n), "seed %lu", d.seed);
			arena_free(a);
		}
	}
}

/* A value that begins with another has its encoded prefix in front, and no other one has. */
Test(properties, a_prefix_finds_what_begins_with_it)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct dice d = dice_new(round);

		for (int i = 0; i < 40000; i++) {
			struct arena *a = arena_new();
			enum value_type t = dice_throw(&d, 2) ? VALUE_S : VALUE_B;
			struct value x = {.type = t,
					  .bytes = dice_bytes(&d, a, 2, t == VALUE_S)};
			struct value y = {.type = t,
					  .bytes = dice_bytes(&d, a, 5, t == VALUE_S)};
			struct span key = encoded(a, &y, NULL);
			struct key prefix = {0};
			bool begins = y.bytes.n >= x.bytes.n &&
				      memcmp(x.bytes.p, y.bytes.p, x.bytes.n) == 0;

			key_append_prefix(a, &prefix, &x);
			cr_assert(eq(int,
				     key.n >= prefix.n &&
					     (prefix.n == 0 ||
					      memcmp(key.p, prefix.p, prefix.n) == 0),
				     begins),
				  "seed %lu", d.seed);
			arena_free(a);
		}
	}
}

static bool is_sorted(const struct value *v)
{
	for (size_t i = 1; v->type >= VALUE_SS && i < v->list.n; i++)
		if (value_compare(&v->list.items[i - 1], &v->list.items[i]) >= 0)
			return false;
	for (size_t i = 0; v->type == VALUE_L && i < v->list.n; i++)
		if (!is_sorted(&v->list.items[i]))
			return false;
	for (size_t i = 0; v->type == VALUE_M && i < v->map.n; i++)
		if (!is_sorted(&v->map.members[i].value) ||
		    (i > 0 && span_compare(v->map.members[i - 1].name,
					   v->map.members[i].name) >= 0))
			return false;
	return true;
}

/* Read, written and read again it is the same, and written again the same bytes. */
Test(properties, a_value_that_was_written_is_read_as_it_was)
{
	int read = 0;

	for (int round = 0; round < ROUNDS; round++) {
		struct dice d = dice_new(round);

		for (int i = 0; i < 20000; i++) {
			struct arena *a = arena_new();
			char *json = xstrdup(""), *once;
			struct value v, again;
			struct refusal no = {0};

			dice_json(&d, 4, &json);
			if (read_text(a, span_str(json), &v, &no) == OK) {
				read++;
				once = written(a, &v);
				again = read_value(a, once);
				cr_assert(is_sorted(&v), "seed %lu: %s", d.seed, json);
				cr_assert(value_equal(&v, &again), "seed %lu: %s", d.seed,
					  json);
				cr_assert(eq(str, written(a, &again), once), "seed %lu",
					  d.seed);
				cr_assert(eq(sz, value_size(&v), value_size(&again)));
			} else {
				/* two names of a map, or of a set, were the same in the end */
				cr_assert(strstr(no.message, "same name") ||
						  strstr(no.message, "duplicates"),
					  "seed %lu: %s: %s", d.seed, json, no.message);
			}
			free(json);
			arena_free(a);
		}
	}
	cr_assert(gt(int, read, ROUNDS * 20000 / 2));
}
