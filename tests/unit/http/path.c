#include "http/path.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

static bool is_dev(const char *path)
{
	return path_is(span_str(path), "dev");
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
	bool below = path_below(span_str(path), "dev", &rest);

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
