#include "tables/value/number.h"

#include "dice.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

#define ZEROS                                                                            \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"                                                                     \
	"0000000000"

#define NO_NUMBER NULL
#define OVERFLOW                                                                         \
	"Number overflow. Attempting to store a number with magnitude larger than "      \
	"supported range"
#define UNDERFLOW                                                                        \
	"Number underflow. Attempting to store a number with magnitude smaller than "    \
	"supported range"
#define TOO_MANY "Attempting to store more than 38 significant digits in a Number"

static char *canonical(const char *text, char out[NUMBER_TEXT + 1])
{
	struct number x;
	const char *why;

	cr_assert(eq(int, number_read(span_str(text), &x, &why), OK), "%s", text);
	out[number_write(&x, out)] = '\0';
	return out;
}

struct form {
	const char *text, *want;
};

/* Tables, section 4, N: what is taken, and its canonical text. */
Test(number, each_notation_has_one_canonical_text)
{
	static const struct form rows[] = {
		{"0", "0"},
		{"-0", "0"},
		{"+0", "0"},
		{"0.000", "0"},
		{"-0.0e5", "0"},
		{"0e999999999999999999999", "0"},
		{"5", "5"},
		{"+5", "5"},
		{"-5", "-5"},
		{".5", "0.5"},
		{"-.5", "-0.5"},
		{"5.", "5"},
		{"5.e1", "50"},
		{".5e1", "5"},
		{"1e+3", "1000"},
		{"1E3", "1000"},
		{"1e-3", "0.001"},
		{"1e0", "1"},
		{"1e00000000000000000000000000000000000002", "100"},
		{"001.500E2", "150"},
		{"001.500", "1.5"},
		{"100", "100"},
		{"100.0", "100"},
		{"0100.0100", "100.01"},
		{"123456.789", "123456.789"},
		{"12345678901234567890123456789012345678",
		 "12345678901234567890123456789012345678"},
		{"1234567890123456789012345678901234567800000",
		 "1234567890123456789012345678901234567800000"},
		{"0.00012345678901234567890123456789012345678",
		 "0.00012345678901234567890123456789012345678"},
		{"1" ZEROS "00000", "1" ZEROS "00000"},
		{"1E125", "1" ZEROS "00000"},
	};
	char out[NUMBER_TEXT + 1], again[NUMBER_TEXT + 1];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert(eq(str, canonical(rows[i].text, out), (char *)rows[i].want));
		cr_assert(eq(str, canonical(out, again), out));
	}
	cr_assert(eq(sz, strlen(canonical("1E-130", out)), 2 + 130));
	cr_assert(eq(sz, strlen(canonical("9E125", out)), 126));
	cr_assert(eq(
		sz,
		strlen(canonical("-1.2345678901234567890123456789012345678E-130", out)),
		3 + 130 + 37));
}

struct bad {
	const char *text, *why;
	enum err err;
};

/* Tables, section 4, N, and the texts of section 3. */
Test(number, what_cannot_be_stored_is_refused_with_its_sentence)
{
	static const struct bad rows[] = {
		{"", "The parameter cannot be converted to a numeric value",
		 ERR_MALFORMED},
		{" ", NO_NUMBER, ERR_MALFORMED},
		{" 5", NO_NUMBER, ERR_MALFORMED},
		{"5 ", NO_NUMBER, ERR_MALFORMED},
		{"5\n", NO_NUMBER, ERR_MALFORMED},
		{"1 2", NO_NUMBER, ERR_MALFORMED},
		{".", NO_NUMBER, ERR_MALFORMED},
		{"+", NO_NUMBER, ERR_MALFORMED},
		{"-", NO_NUMBER, ERR_MALFORMED},
		{"-.", NO_NUMBER, ERR_MALFORMED},
		{"+-5", NO_NUMBER, ERR_MALFORMED},
		{"--5", NO_NUMBER, ERR_MALFORMED},
		{"1.2.3", NO_NUMBER, ERR_MALFORMED},
		{"1e", NO_NUMBER, ERR_MALFORMED},
		{"1e+", NO_NUMBER, ERR_MALFORMED},
		{"1e-", NO_NUMBER, ERR_MALFORMED},
		{"1e5.", NO_NUMBER, ERR_MALFORMED},
		{"1e5e5", NO_NUMBER, ERR_MALFORMED},
		{"1e+-5", NO_NUMBER, ERR_MALFORMED},
		{"e5", NO_NUMBER, ERR_MALFORMED},
		{".e5", NO_NUMBER, ERR_MALFORMED},
		{"NaN", NO_NUMBER, ERR_MALFORMED},
		{"Infinity", NO_NUMBER, ERR_MALFORMED},
		{"-Infinity", NO_NUMBER, ERR_MALFORMED},
		{"0x10", NO_NUMBER, ERR_MALFORMED},
		{"1_000", NO_NUMBER, ERR_MALFORMED},
		{"1,5", NO_NUMBER, ERR_MALFORMED},
		{"\xd9\xa1", NO_NUMBER, ERR_MALFORMED}, /* U+0661, a digit in Arabic */
		{"dog", NO_NUMBER, ERR_MALFORMED},
		{"123456789012345678901234567890123456789", TOO_MANY, ERR_TOOBIG},
		{"1." ZEROS "1", TOO_MANY, ERR_TOOBIG},
		{"100000000000000000000000000000000000001", TOO_MANY, ERR_TOOBIG},
		{"1E126", OVERFLOW, ERR_TOOBIG},
		{"-1E126", OVERFLOW, ERR_TOOBIG},
		{"10E125", OVERFLOW, ERR_TOOBIG},
		{"0.1E127", OVERFLOW, ERR_TOOBIG},
		{"1.0e100000000", OVERFLOW, ERR_TOOBIG},
		{"1e99999999999999999999999999999", OVERFLOW, ERR_TOOBIG},
		{"1E-131", UNDERFLOW, ERR_TOOBIG},
		{"-1E-131", UNDERFLOW, ERR_TOOBIG},
		{"0.1E-130", UNDERFLOW, ERR_TOOBIG},
		{"1e-99999999999999999999999999999", UNDERFLOW, ERR_TOOBIG},
		{"1" ZEROS "000000", OVERFLOW, ERR_TOOBIG},
	};
	struct number x;
	const char *why;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert(eq(int, number_read(span_str(rows[i].text), &x, &why),
			     rows[i].err),
			  "%s", rows[i].text);
		if (rows[i].why == NO_NUMBER)
			cr_assert(eq(ptr, (void *)why, NULL), "%s", rows[i].text);
		else
			cr_assert(eq(str, (char *)why, (char *)rows[i].why), "%s",
				  rows[i].text);
	}
	cr_assert(eq(int, number_read(span_of("1\0", 2), &x, &why), ERR_MALFORMED));
}

Test(number, each_prefix_of_a_text_is_read_within_its_bounds)
{
	static const char text[] = "-00123.4500e+0012";

	for (size_t n = 0; n < sizeof text; n++) {
		char *copy = malloc(n ? n : 1); /* so that ASan sees a byte too many */
		struct number x;
		const char *why;

		memcpy(copy, text, n);
		if (number_read(span_of(copy, n), &x, &why) == OK)
			cr_assert(le(int, x.n, NUMBER_DIGITS));
		free(copy);
	}
}

/* A million digits are read once, whatever they come to. */
Test(number, a_long_text_is_read_in_one_pass)
{
	enum { LONG = 1 << 20 };
	char *text = malloc(LONG);
	struct number x;
	const char *why;

	memset(text, '0', LONG);
	cr_assert(eq(int, number_read(span_of(text, LONG), &x, &why), OK));
	text[LONG - 1] = '7';
	cr_assert(eq(int, number_read(span_of(text, LONG), &x, &why), OK));
	cr_assert(eq(int, x.exponent, 1));
	text[0] = '7';
	cr_assert(eq(int, number_read(span_of(text, LONG), &x, &why), ERR_TOOBIG));
	memcpy(text, "0.", 2);
	memcpy(text + LONG - 9, "7e1048570", 9);
	cr_assert(eq(int, number_read(span_of(text, LONG), &x, &why), OK));
	cr_assert(eq(int, x.exponent, 1048570 - (LONG - 2 - 9)));
	free(text);
}

static int order(const char *a, const char *b)
{
	struct number x, y;
	const char *why;
	char left[NUMBER_TEXT + 1], right[NUMBER_TEXT + 1];
	int got, texts;

	cr_assert(eq(int, number_read(span_str(a), &x, &why), OK));
	cr_assert(eq(int, number_read(span_str(b), &y, &why), OK));
	got = number_compare(&x, &y);
	texts = number_compare_texts(span_str(canonical(a, left)),
				     span_str(canonical(b, right)));
	cr_assert(eq(int, (got > 0) - (got < 0), (texts > 0) - (texts < 0)), "%s %s", a,
		  b);
	return (got > 0) - (got < 0);
}

/* Tables, section 4: numbers compare by value. */
Test(number, numbers_are_ordered_by_value)
{
	static const char *const rising[] = {
		"-9e125", "-1000", "-15.3", "-15",     "-9",   "-1.5",
		"-1",     "-0.5",  "-0.05", "-1e-130", "0",    "1e-130",
		"0.05",   "0.5",   "1",     "1.5",     "9",    "15",
		"15.3",   "16",    "100",   "1000.5",  "1001", "9e125"};
	enum { N = sizeof rising / sizeof *rising };

	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			cr_assert(eq(int, order(rising[i], rising[j]), (i > j) - (i < j)),
				  "%s %s", rising[i], rising[j]);
	cr_assert(eq(int, order("1.0", "1"), 0));
	cr_assert(eq(int, order("-0", "0"), 0));
	cr_assert(eq(int, order("1e2", "100"), 0));
}

struct size {
	char text[60];
	size_t want;
};

/* Tables, section 4, Item: 1 + half the integer digits + half those of the fraction, + 1 if negative. */
Test(number, the_size_counts_pairs_of_significant_digits)
{
	static const struct size rows[] = {
		{"0", 1},
		{"5", 2},
		{"-5", 3},
		{"15", 2},
		{"150", 2},
		{"153", 3},
		{"100", 2},
		{"1000", 2},
		{"1001", 3},
		{"0.5", 2},
		{"0.05", 2},
		{"0.005", 2},
		{"0.123", 3},
		{"1.5", 3},
		{"-1.5", 4},
		{"100.5", 4},
		{"1.005", 4},
		{"12345678901234567890123456789012345678", 20},
		{"-12345678901234567890123456789012345678", 21},
		{"1700000000", 2},
		{"1700000001", 6},
	};
	char text[NUMBER_TEXT + 1];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert(eq(sz, number_size(span_str(canonical(rows[i].text, text))),
			     rows[i].want),
			  "%s", rows[i].text);
}

struct sum {
	const char *a, *b, *sum, *difference; /* or the sentence */
};

/* Tables, section 6: + and - take N; ADD. */
Test(number, sums_and_differences_are_exact_or_refused)
{
	static const struct sum rows[] = {
		{"0", "0", "0", "0"},
		{"0", "5", "5", "-5"},
		{"5", "0", "5", "5"},
		{"1", "1", "2", "0"},
		{"-1", "1", "0", "-2"},
		{"1", "-1", "0", "2"},
		{"-9", "-9", "-18", "0"},
		{"99", "1", "100", "98"},
		{"0.1", "0.2", "0.3", "-0.1"},
		{"1000", "-0.001", "999.999", "1000.001"},
		{"99999999999999999999999999999999999999", "1",
		 "100000000000000000000000000000000000000",
		 "99999999999999999999999999999999999998"},
		{"99999999999999999999999999999999999999", "2", OVERFLOW,
		 "99999999999999999999999999999999999997"},
		{"9e125", "9e125", OVERFLOW, "0"},
		{"-9e125", "9e125", "0", OVERFLOW},
		{"9e125", "9e124", NULL, NULL},
		{"1e50", "1", OVERFLOW, OVERFLOW},
		{"9e125", "1e-130", OVERFLOW, OVERFLOW},
		{"1.5e-130", "1e-130", NULL, UNDERFLOW},
	};
	char text[NUMBER_TEXT + 1];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct number a, b, got;
		const char *why;

		cr_assert(eq(int, number_read(span_str(rows[i].a), &a, &why), OK));
		cr_assert(eq(int, number_read(span_str(rows[i].b), &b, &why), OK));
		for (int minus = 0; minus < 2; minus++) {
			const char *want = minus ? rows[i].difference : rows[i].sum;
			enum err e = minus ? number_subtract(&a, &b, &got, &why)
					   : number_add(&a, &b, &got, &why);

			if (!want)
				continue;
			if (e == OK) {
				text[number_write(&got, text)] = '\0';
				why = text;
			}
			cr_assert(eq(str, (char *)why, (char *)want), "%s %c %s",
				  rows[i].a, minus ? '-' : '+', rows[i].b);
			cr_assert(eq(int, e, strchr(want, 'N') ? ERR_TOOBIG : OK));
		}
	}
}

/* ---- properties, against 128-bit integers: a number is m × 10^e, and here e + 9 is 0 to 18 ---- */

enum { SCALE = 9 };

static void scaled_text(__int128 scaled, char out[64])
{
	char digits[64];
	int n = 0, at = 0;
	unsigned __int128 left =
		scaled < 0 ? -(unsigned __int128)scaled : (unsigned __int128)scaled;

	for (; left > 0 || n <= SCALE; left /= 10)
		digits[n++] = (char)('0' + (int)(left % 10));
	if (scaled < 0)
		out[at++] = '-';
	while (n > SCALE)
		out[at++] = digits[--n];
	out[at++] = '.';
	while (n > 0)
		out[at++] = digits[--n];
	while (out[at - 1] == '0')
		at--;
	if (out[at - 1] == '.')
		at--;
	out[at] = '\0';
}

static __int128 roll(struct dice *d, struct number *x)
{
	uint64_t mantissa = 0;
	int digits = (int)dice_throw(d, 18), exponent = (int)dice_throw(d, 19);
	bool minus = dice_throw(d, 2);
	char text[64];
	const char *why;
	__int128 scaled;

	while (digits-- > 0)
		mantissa = mantissa * 10 + dice_throw(d, dice_throw(d, 2) ? 10 : 1);
	snprintf(text, sizeof text, "%s%lue%d", minus ? "-" : "", mantissa,
		 exponent - SCALE);
	cr_assert(eq(int, number_read(span_str(text), x, &why), OK), "%s", text);
	for (scaled = mantissa; exponent > 0; exponent--)
		scaled *= 10;
	return minus ? -scaled : scaled;
}

static void check_sum(struct number *got, enum err e, __int128 want, uint64_t seed)
{
	char text[NUMBER_TEXT + 1], model[64];

	cr_assert(eq(int, e, OK), "seed %lu", seed);
	text[number_write(got, text)] = '\0';
	scaled_text(want, model);
	cr_assert(eq(str, text, model), "seed %lu", seed);
}

Test(number, sums_differences_and_the_order_are_those_of_integers)
{
	for (int round = 0; round < 2; round++) {
		struct dice d = dice_new(round);

		for (int i = 0; i < 50000; i++) {
			struct number a, b, got;
			__int128 x = roll(&d, &a), y = roll(&d, &b);
			int order = number_compare(&a, &b);
			const char *why;
			enum err e = number_add(&a, &b, &got, &why);

			check_sum(&got, e, x + y, d.seed);
			e = number_subtract(&a, &b, &got, &why);
			check_sum(&got, e, x - y, d.seed);
			cr_assert(eq(int, (order > 0) - (order < 0), (x > y) - (x < y)),
				  "seed %lu", d.seed);
		}
	}
}

/* Over the whole range: what is added can be taken away again, and the sign of a - b is the order. */
Test(number, a_sum_that_is_exact_can_be_undone)
{
	for (int round = 0; round < 2; round++) {
		struct dice d = dice_new(round);
		int exact = 0;

		for (int i = 0; i < 50000; i++) {
			char left[256], right[256];
			struct number a, b, sum, other, back;
			const char *why;
			int order;

			dice_number(&d, false, left);
			dice_number(&d, true, right);
			cr_assert(eq(int, number_read(span_str(left), &a, &why), OK),
				  "%s", left);
			cr_assert(eq(int, number_read(span_str(right), &b, &why), OK),
				  "%s", right);
			if (number_subtract(&a, &b, &sum, &why) == OK) {
				order = number_compare(&a, &b);
				cr_assert(eq(int, (order > 0) - (order < 0),
					     sum.n == 0     ? 0
					     : sum.negative ? -1
							    : 1),
					  "seed %lu", d.seed);
			}
			if (number_add(&a, &b, &sum, &why) != OK)
				continue;
			exact++;
			cr_assert(eq(int, number_add(&b, &a, &other, &why), OK));
			cr_assert(zero(int, number_compare(&sum, &other)), "seed %lu",
				  d.seed);
			cr_assert(eq(int, number_subtract(&sum, &b, &back, &why), OK));
			cr_assert(zero(int, number_compare(&a, &back)),
				  "%s + %s, seed %lu", left, right, d.seed);
		}
		cr_assert(gt(int, exact, 10000));
	}
}

Test(number, the_canonical_text_is_stable_and_plain_texts_are_canonical)
{
	for (int round = 0; round < 2; round++) {
		struct dice d = dice_new(round);

		for (int i = 0; i < 50000; i++) {
			char text[256], once[NUMBER_TEXT + 1], twice[NUMBER_TEXT + 1];

			dice_number(&d, false, text);
			canonical(text, once);
			cr_assert(eq(str, canonical(once, twice), once), "seed %lu",
				  d.seed);
			if (number_is_plain(span_str(text)))
				cr_assert(eq(str, once, text), "seed %lu", d.seed);
		}
	}
}
