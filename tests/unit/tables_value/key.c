#include "tables/value/key.h"

#include "read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena *a;

static void begin(void)
{
	a = arena_new();
}

static void end(void)
{
	arena_free(a);
}

TestSuite(key, .init = begin, .fini = end);

static struct key encode(const char *json)
{
	struct value v = read_value(a, json);
	struct key k = {0};

	key_append(a, &k, &v);
	return k;
}

struct row {
	const char *json;
	const char *bytes; /* in hexadecimal */
};

static const char *hex(struct span bytes)
{
	char *out = arena_calloc(a, 1, 2 * bytes.n + 1);

	for (size_t i = 0; i < bytes.n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes.p[i]);
	return out;
}

/* Tables, section 7, key encoding; computed by hand. */
Test(key, a_value_has_these_bytes)
{
	static const struct row rows[] = {
		{"{\"S\":\"ab\"}", "61620001"},
		{"{\"S\":\"\"}", "0001"},
		{"{\"S\":\"a\\u0000b\"}", "6100ff620001"},
		{"{\"B\":\"AP8=\"}", "00ffff0001"},
		{"{\"N\":\"0\"}", "80"},
		{"{\"N\":\"1\"}", "81820b00"},
		{"{\"N\":\"10\"}", "81830b00"},
		{"{\"N\":\"15\"}", "81831000"},
		{"{\"N\":\"15.3\"}", "8183101f00"},
		{"{\"N\":\"-15\"}", "7f7cefff"},
		{"{\"N\":\"-15.3\"}", "7f7cefe0ff"},
		{"{\"N\":\"1e-130\"}", "81000b00"},
		{"{\"N\":\"9.9e125\"}", "81ff6400"},
		{"{\"N\":\"0.05\"}", "81803300"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct key k = encode(rows[i].json);

		cr_assert(eq(str, (char *)hex(span_of(k.p, k.n)), (char *)rows[i].bytes),
			  "%s", rows[i].json);
	}
}

/* Tables, section 7: without the + 1 and the 00, -15 sorts before -15.3, and 15.3 before 15 in an index. */
Test(key, order_of_bytes_is_order_of_values_also_with_more_behind)
{
	static const char *const rising[] = {"-1000", "-15.3", "-15",  "-1.5", "-1",
					     "-0.05", "0",     "0.05", "1",    "1.5",
					     "15",    "15.3",  "16",   "1000"};
	static const char *const tails[] = {
		"{\"S\":\"\"}", "{\"S\":\"\xf4\x8f\xbf\xbf\"}", "{\"N\":\"9e125\"}",
		"{\"N\":\"-9e125\"}", "{\"B\":\"////\"}"};
	struct key before = {0}, k;

	for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
		for (size_t t = 0; t < sizeof tails / sizeof *tails; t++) {
			struct value tail = read_value(a, tails[t]);

			k = encode(arena_printf(a, "{\"N\":\"%s\"}", rising[i]));
			key_append(a, &k, &tail);
			if (i > 0)
				cr_assert(lt(int,
					     span_compare(span_of(before.p, before.n),
							  span_of(k.p, k.n)),
					     0),
					  "%s", rising[i]);
			if (t + 1 == sizeof tails / sizeof *tails)
				before = encode(
					arena_printf(a, "{\"N\":\"%s\"}", rising[i]));
		}
	}
}

Test(key, keys_that_begin_with_a_value_have_its_prefix)
{
	static const char *const begins[] = {"{\"S\":\"a\\u0000\"}",
					     "{\"S\":\"a\\u0000b\"}",
					     "{\"S\":\"a\\u0000\\u0000\"}"};
	static const char *const others[] = {"{\"S\":\"a\"}", "{\"S\":\"a\\u0001\"}",
					     "{\"S\":\"b\"}"};
	struct value v = read_value(a, "{\"S\":\"a\\u0000\"}");
	struct key prefix = {0}, k;

	key_append_prefix(a, &prefix, &v);
	cr_assert(eq(str, (char *)hex(span_of(prefix.p, prefix.n)), "6100ff"));
	for (int i = 0; i < 3; i++) {
		k = encode(begins[i]);
		cr_assert(ge(sz, k.n, prefix.n));
		cr_assert(zero(int, memcmp(k.p, prefix.p, prefix.n)), "%s", begins[i]);
		k = encode(others[i]);
		cr_assert(ne(int,
			     span_compare(span_of(k.p, k.n < prefix.n ? k.n : prefix.n),
					  span_of(prefix.p, prefix.n)),
			     0),
			  "%s", others[i]);
	}
}

/* The fuzzer found that it had no bytes at all, not even a place for them. */
Test(key, the_prefix_of_an_empty_value_is_empty)
{
	struct value v = read_value(a, "{\"B\":\"\"}");
	struct key prefix = {0};

	key_append_prefix(a, &prefix, &v);
	cr_assert(zero(sz, prefix.n));
	cr_assert(ne(ptr, prefix.p, NULL));
}

Test(key, values_behind_each_other_come_back_one_by_one)
{
	static const struct {
		const char *json;
		enum value_type t;
	} rows[] = {
		{"{\"S\":\"a\\u0000b\"}", VALUE_S}, {"{\"N\":\"-15.3\"}", VALUE_N},
		{"{\"B\":\"AAD/AQ==\"}", VALUE_B},  {"{\"N\":\"0\"}", VALUE_N},
		{"{\"S\":\"\"}", VALUE_S},          {"{\"N\":\"1000\"}", VALUE_N},
	};
	enum { N = sizeof rows / sizeof *rows };
	struct key k = {0};
	struct span rest;

	for (int i = 0; i < N; i++) {
		struct value v = read_value(a, rows[i].json);

		key_append(a, &k, &v);
	}
	rest = span_of(k.p, k.n);
	for (int i = 0; i < N; i++) {
		struct value v;

		cr_assert(eq(int, key_take(a, &rest, rows[i].t, &v), OK));
		cr_assert(eq(str, written(a, &v), (char *)rows[i].json));
	}
	cr_assert(zero(sz, rest.n));
}

struct bad {
	const char *bytes;
	size_t n;
	enum value_type t;
};

Test(key, damaged_bytes_are_refused)
{
	static const struct bad rows[] = {
		{"", 0, VALUE_S},
		{"ab", 2, VALUE_S},
		{"ab\0", 3, VALUE_S},
		{"ab\0\2", 4, VALUE_B},
		{"", 0, VALUE_N},
		{"\x7f", 1, VALUE_N},
		{"\x81\x82", 2, VALUE_N},
		{"\x81\x82\x0b", 3, VALUE_N},
		{"\x81\x82\0", 3, VALUE_N},         /* no digits */
		{"\x81\x82\x66\0", 4, VALUE_N},     /* a pair of 101 */
		{"\x81\x82\x02\0", 4, VALUE_N},     /* begins with a 0 */
		{"\x81\x82\x0b\x01\0", 5, VALUE_N}, /* ends with 00 */
		{"\x82\x82\x0b\0", 4, VALUE_N},
		{"\x81\x82\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		 "\x0b"
		 "\x0b\x0b\x0b\x0b\0",
		 23, VALUE_N}, /* 40 digits */
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t *copy = malloc(rows[i].n ? rows[i].n : 1);
		struct span rest = span_of(copy, rows[i].n);
		struct value v;

		memcpy(copy, rows[i].bytes, rows[i].n);
		cr_assert(eq(int, key_take(a, &rest, rows[i].t, &v), ERR_MALFORMED),
			  "row %zu", i);
		free(copy);
	}
}

/* It decides where an item is stored: a change would lose all items. */
Test(key, the_hash_never_changes)
{
	struct value s = read_value(a, "{\"S\":\"connection\"}");
	struct value n = read_value(a, "{\"N\":\"1.0\"}");
	struct value one = read_value(a, "{\"N\":\"1\"}");

	cr_assert(eq(u64, key_hash(&n), key_hash(&one)));
	cr_assert(eq(u64, key_hash(&s), 15361603208440579886u));
	cr_assert(eq(u64, key_hash(&one), 1813466720665319037u));
}
