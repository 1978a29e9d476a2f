#include "cli/client/view.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <stdlib.h>

static struct json_value open(const char *text)
{
	struct json_value v;

	cr_assert(view_open(span_str(text), &v));
	return v;
}

Test(view, opens_objects_alone)
{
	static const char *const rows[] = {"", "[]", "1", "{", "{}x"};
	struct json_value v;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect(not(view_open(span_str(rows[i]), &v)), "%s", rows[i]);
}

Test(view, finds_members_by_name)
{
	struct json_value v = open("{\"a\":\"\\u0041\",\"n\":-7,\"t\":true,\"f\":false}");
	char *a = view_text(&v, "a"), *none = view_text(&v, "n");

	cr_expect(eq(str, a, "A"));
	cr_expect(eq(str, none, ""));
	cr_expect(eq(i64, view_number(&v, "n"), -7));
	cr_expect(zero(i64, view_number(&v, "a")));
	cr_expect(view_is_true(&v, "t") && view_is_false(&v, "f"));
	cr_expect(not(view_is_true(&v, "x") || view_is_false(&v, "x")));
	cr_expect(eq(int, view_member(&v, "x").kind, JSON_IS_MISSING));
	free(a);
	free(none);
}

Test(view, prints_values_as_they_were_written, .init = cr_redirect_stdout)
{
	struct json_value v = open("{\"big\": 1e999, \"text\": \"a\\u001b\\\"\"}");
	struct json_value text = view_member(&v, "text"), big = view_member(&v, "big");

	view_print(&big);
	view_print(&text);
	view_print_line(&v);
	fflush(stdout);
	cr_assert_stdout_eq_str(
		"1e999a?\"{\"big\": 1e999, \"text\": \"a\\u001b\\\"\"}\n");
}

Test(view, prints_an_object_of_several_lines_in_one, .init = cr_redirect_stdout)
{
	struct json_value v = open("{\"a\":\n1}");

	view_print_line(&v);
	fflush(stdout);
	cr_assert_stdout_eq_str("{\"a\": 1}\n");
}
