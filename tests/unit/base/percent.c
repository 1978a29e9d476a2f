#include "base/percent.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

/* Decode in from memory of its own, into n bytes. */
static void expect_decoded(const char *in, size_t n, const char *want)
{
	char out[32];
	char *exact = span_dup(span_str(in));
	long got = percent_decode(span_str(exact), out, n);

	free(exact);
	cr_assert(eq(long, got, want ? (long)strlen(want) : -1), "%s", in);
	if (want)
		cr_assert(eq(int, memcmp(out, want, strlen(want)), 0), "%s", in);
}

Test(percent, percent_signs_with_two_digits_are_decoded)
{
	expect_decoded("", 32, "");
	expect_decoded("plain", 32, "plain");
	expect_decoded("a%20b", 32, "a b");
	expect_decoded("AAEAAAACASNFZ4k%3D", 32, "AAEAAAACASNFZ4k=");
	expect_decoded("%3d%3D", 32, "==");
	expect_decoded("%2f%C3%A9", 32, "/\xc3\xa9");
	expect_decoded("%2525", 32, "%25");
}

Test(percent, a_percent_sign_without_two_digits_is_refused)
{
	expect_decoded("%", 32, NULL);
	expect_decoded("a%", 32, NULL);
	expect_decoded("a%4", 32, NULL);
	expect_decoded("%4g", 32, NULL);
	expect_decoded("%g4", 32, NULL);
	expect_decoded("%%41", 32, NULL);
	expect_decoded("% 41", 32, NULL);
}

Test(percent, a_zero_byte_is_decoded_and_counted)
{
	char out[4];

	cr_assert(eq(long, percent_decode(span_str("a%00b"), out, 4), 3));
	cr_assert(eq(int, memcmp(out, "a\0b", 3), 0));
}

Test(percent, what_does_not_fit_is_refused)
{
	expect_decoded("abcd", 4, "abcd");
	expect_decoded("abcde", 4, NULL);
	expect_decoded("%41%41%41", 3, "AAA");
	expect_decoded("%41%41%41", 2, NULL);
}
