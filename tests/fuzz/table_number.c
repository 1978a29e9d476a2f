/*
 * Numbers of tables: the first line and the rest are two of them. Any text is refused or has a
 * canonical one, which is read as the same number, has its place as a key, and its sum with
 * another can be undone.
 */
#include "tables/value/key.h"
#include "tables/value/number.h"

#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

static bool read_one(struct span text, struct number *x, char canonical[NUMBER_TEXT],
		     size_t *n)
{
	struct number again;
	const char *why;
	char other[NUMBER_TEXT];
	enum err e = number_read(text, x, &why);

	check(e == OK || e == ERR_MALFORMED || (e == ERR_TOOBIG && why != NULL));
	if (e != OK) {
		check(!number_is_plain(text));
		return false;
	}
	*n = number_write(x, canonical);
	check(*n <= NUMBER_TEXT);
	check(number_read(span_of(canonical, *n), &again, &why) == OK);
	check(number_compare(x, &again) == 0);
	check(number_write(&again, other) == *n && memcmp(canonical, other, *n) == 0);
	check(!number_is_plain(text) || span_eq(text, span_of(canonical, *n)));
	check(number_size(span_of(canonical, *n)) <= 2 + 1 + NUMBER_DIGITS);
	return true;
}

static struct span encode(struct arena *a, struct span canonical)
{
	struct value v = {.type = VALUE_N, .bytes = canonical}, back;
	struct key k = {0};
	struct span rest;

	key_append(a, &k, &v);
	rest = span_of(k.p, k.n);
	check(key_take(a, &rest, VALUE_N, &back) == OK && rest.n == 0);
	check(value_equal(&v, &back));
	return span_of(k.p, k.n);
}

static void check_sum(const struct number *x, const struct number *y)
{
	struct number sum, other, back;
	const char *why;
	enum err e = number_add(x, y, &sum, &why);

	check(e == number_add(y, x, &other, &why));
	if (e == OK) {
		check(number_compare(&sum, &other) == 0);
		check(number_subtract(&sum, y, &back, &why) == OK);
		check(number_compare(x, &back) == 0);
	}
	if (number_subtract(x, y, &sum, &why) == OK)
		check(sign(number_compare(x, y)) == (sum.n == 0     ? 0
						     : sum.negative ? -1
								    : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *newline = n ? memchr(p, '\n', n) : NULL;
	size_t cut = newline ? (size_t)(newline - p) : n, nx, ny;
	struct span rest = newline ? span_of(newline + 1, n - cut - 1) : span_of(p, n);
	struct arena *a = arena_new();
	struct number x, y;
	char left[NUMBER_TEXT], right[NUMBER_TEXT];

	if (read_one(span_of(p, cut), &x, left, &nx) && read_one(rest, &y, right, &ny)) {
		struct span l = span_of(left, nx), r = span_of(right, ny);
		int order = sign(number_compare(&x, &y));

		check(sign(number_compare_texts(l, r)) == order);
		check(sign(span_compare(encode(a, l), encode(a, r))) == order);
		check_sum(&x, &y);
	}
	arena_free(a);
	return 0;
}
