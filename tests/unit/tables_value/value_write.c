#include "read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct row {
	const char *json, *want;
};

/* Equal items are equal bytes: members and sets ascending, numbers canonical, no blanks, the fewest escapes. */
Test(value_write, a_value_has_one_text)
{
	static const struct row rows[] = {
		{"{ \"S\" : \"a\\u0041\\/\" }", "{\"S\":\"aA/\"}"},
		{"{\"S\":\"\\u0000\\u001f\\n\\\"\\\\\\ud83d\\ude00\"}",
		 "{\"S\":\"\\u0000\\u001f\\n\\\"\\\\😀\"}"},
		{"{\"N\":\"+001.500E2\"}", "{\"N\":\"150\"}"},
		{"{\"B\":\"AP8=\"}", "{\"B\":\"AP8=\"}"},
		{"{\"B\":\"\"}", "{\"B\":\"\"}"},
		{"{\"BOOL\": false }", "{\"BOOL\":false}"},
		{"{\"NULL\":true}", "{\"NULL\":true}"},
		{"{\"SS\":[\"b\",\"\",\"a\"]}", "{\"SS\":[\"\",\"a\",\"b\"]}"},
		{"{\"NS\":[\"10\",\"9.0\",\"-1\"]}", "{\"NS\":[\"-1\",\"9\",\"10\"]}"},
		{"{\"BS\":[\"/w==\",\"AA==\"]}", "{\"BS\":[\"AA==\",\"/w==\"]}"},
		{"{\"L\":[ {\"N\":\"1.0\"} , {\"L\":[]}, {\"M\":{ }}]}",
		 "{\"L\":[{\"N\":\"1\"},{\"L\":[]},{\"M\":{}}]}"},
		{"{\"M\":{\"b\":{\"S\":\"\"},\"a\\n\":{\"NULL\":true},\"a\":{\"S\":\"\"}}"
		 "}",
		 "{\"M\":{\"a\":{\"S\":\"\"},\"a\\n\":{\"NULL\":true},\"b\":{\"S\":\"\"}}"
		 "}"},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value v = read_value(a, rows[i].json);

		cr_assert(eq(str, written(a, &v), (char *)rows[i].want));
	}
	arena_free(a);
}
