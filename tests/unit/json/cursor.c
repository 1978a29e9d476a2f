#include "json/cursor.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct json_cursor begin(const char *text)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;

	cr_assert(eq(int, json_find(span_str(text), &whole, &v), OK), "%s", text);
	return (struct json_cursor){v.raw.p, v.raw.p + v.raw.n};
}

Test(cursor, members_come_in_their_order_with_blanks_between)
{
	struct json_cursor c =
		begin(" { \"a\" : 1 ,\n\t\"b\\\"\" :[ true , \"x]\" ], \"c\":{} } ");

	json_cursor_enter(&c);
	cr_assert(json_cursor_more(&c));
	cr_assert(span_is(json_cursor_name(&c), "\"a\""));
	cr_assert(eq(int, json_cursor_kind(&c), JSON_IS_NUMBER));
	cr_assert(span_is(json_cursor_value(&c), "1"));
	cr_assert(json_cursor_more(&c));
	cr_assert(span_is(json_cursor_name(&c), "\"b\\\"\""));
	json_cursor_enter(&c);
	cr_assert(json_cursor_more(&c));
	cr_assert(span_is(json_cursor_value(&c), "true"));
	cr_assert(json_cursor_more(&c));
	cr_assert(span_is(json_cursor_value(&c), "\"x]\""));
	cr_assert(not(json_cursor_more(&c)));
	cr_assert(json_cursor_more(&c));
	cr_assert(span_is(json_cursor_name(&c), "\"c\""));
	json_cursor_enter(&c);
	cr_assert(not(json_cursor_more(&c)));
	cr_assert(not(json_cursor_more(&c)));
	cr_assert(eq(ptr, (void *)c.at, (void *)c.end));
}

Test(cursor, a_value_is_passed_as_a_whole)
{
	static const char *const texts[] = {
		"\"\"",
		"\"\\\\\"",
		"\"\\u005c\"",
		"-1.5e3",
		"null",
		"{}",
		"[]",
		"{\"a]\":[{\"}\":\"\\\"]\"}, 2 ]}",
		"[[[[]]],{\"a\":{}}]",
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char text[80];
		struct json_cursor c;

		snprintf(text, sizeof text, "[ %s , 1]", texts[i]);
		c = begin(text);
		json_cursor_enter(&c);
		cr_assert(json_cursor_more(&c));
		cr_assert(span_is(json_cursor_value(&c), texts[i]), "%s", texts[i]);
		cr_assert(json_cursor_more(&c));
		cr_assert(span_is(json_cursor_value(&c), "1"), "%s", texts[i]);
		cr_assert(not(json_cursor_more(&c)));
	}
}
