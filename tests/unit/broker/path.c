#include "broker/path.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static bool is_dev(const char *path)
{
	return path_is_stage(span_str(path), "dev");
}

Test(path, the_stage_is_its_name_with_or_without_a_slash)
{
	cr_assert(is_dev("/dev"));
	cr_assert(is_dev("/dev/"));
	cr_assert(not(is_dev("/dev//")));
	cr_assert(not(is_dev("/dev/x")));
	cr_assert(not(is_dev("/de")));
	cr_assert(not(is_dev("/devx")));
	cr_assert(not(is_dev("/DEV")));
	cr_assert(not(is_dev("dev")));
	cr_assert(not(is_dev("//dev")));
	cr_assert(not(is_dev("/")));
	cr_assert(not(is_dev("")));
}

static void expect_below(const char *path, const char *want)
{
	struct span rest = span_str("untouched");
	bool below = path_below_stage(span_str(path), "dev", &rest);

	cr_assert(below == (want != NULL), "%s", path);
	cr_assert(span_is(rest, want ? want : "untouched"), "%s", path);
}

Test(path, what_is_below_the_stage_keeps_its_slash)
{
	expect_below("/dev/ping", "/ping");
	expect_below("/dev/", "/");
	expect_below("/dev//", "//");
	expect_below("/dev/dev/ping", "/dev/ping");
	expect_below("/dev", NULL);
	expect_below("/devil/ping", NULL);
	expect_below("/de/ping", NULL);
	expect_below("xdev/ping", NULL);
	expect_below("", NULL);
}

static bool is_before(const char *path, const char *one, const char *other)
{
	int a = path_rank(one, span_str(path)), b = path_rank(other, span_str(path));

	return a > b && b > 0;
}

Test(path, a_pattern_that_names_more_of_the_path_ranks_higher)
{
	cr_assert(is_before("/users/me", "/users/me", "/users/{id}"));
	cr_assert(is_before("/users/7", "/users/{id}", "/users/{id+}"));
	cr_assert(is_before("/users/7/a", "/users/{rest+}", "/{all+}"));
	cr_assert(is_before("/users/7/a", "/{x}/7/a", "/users/7/{rest+}"));
	cr_assert(is_before("/users/7/a", "/users/{id}/a", "/{x}/{id}/a"));
}

static bool matches(const char *pattern, const char *path)
{
	return path_rank(pattern, span_str(path)) > 0;
}

Test(path, a_slash_more_or_less_is_another_path)
{
	cr_assert(matches("/ping", "/ping"));
	cr_assert(not(matches("/ping", "/ping/")));
	cr_assert(not(matches("/ping", "ping")));
	cr_assert(not(matches("/ping", "//ping")));
	cr_assert(not(matches("/users/{id}", "/users/")));
	cr_assert(not(matches("/users/{id}", "/users")));
	cr_assert(not(matches("/users/{id}", "/users/7/")));
	cr_assert(not(matches("/{all+}", "/")));
	cr_assert(matches("/{all+}", "/a/"));
	cr_assert(matches("/", "/"));
	cr_assert(not(matches("/ping", "")));
}

/* Decode in as a path of its own memory, into n bytes. */
static void expect_decoded(const char *in, size_t n, const char *want)
{
	char out[32];
	char *exact = span_dup(span_str(in));
	long got = path_decode(span_str(exact), out, n);

	free(exact);
	cr_assert(eq(long, got, want ? (long)strlen(want) : -1), "%s", in);
	if (want)
		cr_assert(eq(int, memcmp(out, want, strlen(want)), 0), "%s", in);
}

Test(path, percent_signs_with_two_digits_are_decoded)
{
	expect_decoded("", 32, "");
	expect_decoded("plain", 32, "plain");
	expect_decoded("a%20b", 32, "a b");
	expect_decoded("AAEAAAACASNFZ4k%3D", 32, "AAEAAAACASNFZ4k=");
	expect_decoded("%3d%3D", 32, "==");
	expect_decoded("%2f%C3%A9", 32, "/\xc3\xa9");
	expect_decoded("%2525", 32, "%25");
}

Test(path, a_percent_sign_without_two_digits_is_refused)
{
	expect_decoded("%", 32, NULL);
	expect_decoded("a%", 32, NULL);
	expect_decoded("a%4", 32, NULL);
	expect_decoded("%4g", 32, NULL);
	expect_decoded("%g4", 32, NULL);
	expect_decoded("%%41", 32, NULL);
	expect_decoded("% 41", 32, NULL);
}

Test(path, a_zero_byte_is_decoded_and_counted)
{
	char out[4];

	cr_assert(eq(long, path_decode(span_str("a%00b"), out, 4), 3));
	cr_assert(eq(int, memcmp(out, "a\0b", 3), 0));
}

Test(path, what_does_not_fit_is_refused)
{
	expect_decoded("abcd", 4, "abcd");
	expect_decoded("abcde", 4, NULL);
	expect_decoded("%41%41%41", 3, "AAA");
	expect_decoded("%41%41%41", 2, NULL);
}
