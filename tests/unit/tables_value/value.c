#include "tables/value/value.h"

#include "read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct arena *a;

static void begin(void)
{
	a = arena_new();
}

static void end(void)
{
	arena_free(a);
}

TestSuite(value, .init = begin, .fini = end);

Test(value, a_refusal_is_a_validation_exception_with_its_sentence)
{
	struct refusal no;

	cr_assert(eq(int, refuse(a, &no, "%s %d", "x", 7), ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.type, "ValidationException"));
	cr_assert(eq(str, (char *)no.message, "x 7"));
}

Test(value, an_attribute_is_found_by_its_name)
{
	struct value_map item = {0};
	struct refusal no;
	const char *json =
		"{\"b\":{\"N\":\"2\"},\"a\":{\"N\":\"1\"},\"ab\":{\"N\":\"3\"},"
		"\"\":{\"N\":\"4\"},\"a\\u0000\":{\"N\":\"5\"}}";

	cr_assert(eq(int, read_item(a, span_str(json), &item, &no), OK));
	cr_assert(span_is(value_find(&item, span_str("a"))->bytes, "1"));
	cr_assert(span_is(value_find(&item, span_str("b"))->bytes, "2"));
	cr_assert(span_is(value_find(&item, span_str("ab"))->bytes, "3"));
	cr_assert(span_is(value_find(&item, span_str(""))->bytes, "4"));
	cr_assert(span_is(value_find(&item, span_of("a\0", 2))->bytes, "5"));
	cr_assert(eq(ptr, (void *)value_find(&item, span_str("c")), NULL));
	cr_assert(eq(ptr, (void *)value_find(&item, span_str("A")), NULL));
	cr_assert(eq(ptr, (void *)value_find(NULL, span_str("a")), NULL));
	cr_assert(
		eq(ptr, (void *)value_find(&(struct value_map){0}, span_str("a")), NULL));
}

struct pair {
	const char *a, *b;
	bool equal;
};

/* Tables, sections 4 and 6: `=` compares type and content. */
Test(value, equal_is_equal_in_type_and_content)
{
	static const struct pair rows[] = {
		{"{\"S\":\"a\"}", "{\"S\":\"a\"}", true},
		{"{\"S\":\"a\"}", "{\"S\":\"b\"}", false},
		{"{\"S\":\"a\"}", "{\"S\":\"a\\u0000\"}", false},
		{"{\"S\":\"\"}", "{\"B\":\"\"}", false},
		{"{\"S\":\"1\"}", "{\"N\":\"1\"}", false},
		{"{\"N\":\"1.0\"}", "{\"N\":\"1\"}", true},
		{"{\"N\":\"-0\"}", "{\"N\":\"0e7\"}", true},
		{"{\"BOOL\":true}", "{\"BOOL\":true}", true},
		{"{\"BOOL\":true}", "{\"BOOL\":false}", false},
		{"{\"NULL\":true}", "{\"NULL\":true}", true},
		{"{\"NULL\":true}", "{\"BOOL\":true}", false},
		{"{\"SS\":[\"a\",\"b\"]}", "{\"SS\":[\"b\",\"a\"]}", true},
		{"{\"SS\":[\"a\",\"b\"]}", "{\"SS\":[\"a\"]}", false},
		{"{\"SS\":[\"1\"]}", "{\"NS\":[\"1\"]}", false},
		{"{\"NS\":[\"1\",\"2.0\"]}", "{\"NS\":[\"2\",\"1.00\"]}", true},
		{"{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"}]}",
		 "{\"L\":[{\"S\":\"b\"},{\"S\":\"a\"}]}", false},
		{"{\"L\":[]}", "{\"L\":[]}", true},
		{"{\"L\":[]}", "{\"M\":{}}", false},
		{"{\"M\":{\"a\":{\"N\":\"1\"},\"b\":{\"L\":[]}}}",
		 "{\"M\":{\"b\":{\"L\":[]},\"a\":{\"N\":\"1e0\"}}}", true},
		{"{\"M\":{\"a\":{\"N\":\"1\"}}}", "{\"M\":{\"b\":{\"N\":\"1\"}}}", false},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value x = read_value(a, rows[i].a), y = read_value(a, rows[i].b);

		cr_assert(eq(int, value_equal(&x, &y), rows[i].equal), "%s %s", rows[i].a,
			  rows[i].b);
		cr_assert(eq(int, value_equal(&y, &x), rows[i].equal), "%s %s", rows[i].a,
			  rows[i].b);
	}
}

/* Tables, section 4: strings compare by UTF-8 bytes, binaries by unsigned bytes, numbers by value. */
Test(value, strings_bytes_and_numbers_have_an_order)
{
	static const struct pair less[] = {
		{"{\"S\":\"\"}", "{\"S\":\"a\"}", 0},
		{"{\"S\":\"Z\"}", "{\"S\":\"a\"}", 0},
		{"{\"S\":\"a\"}", "{\"S\":\"a\\u0000\"}", 0},
		{"{\"S\":\"a\"}", "{\"S\":\"é\"}", 0},
		{"{\"S\":\"\\uffff\"}", "{\"S\":\"\\ud83d\\ude00\"}",
		 0}, /* in UTF-16 the other way */
		{"{\"B\":\"fw==\"}", "{\"B\":\"gA==\"}", 0},
		{"{\"B\":\"AA==\"}", "{\"B\":\"AAA=\"}", 0},
		{"{\"N\":\"9\"}", "{\"N\":\"10\"}", 0},
		{"{\"N\":\"-10\"}", "{\"N\":\"-9\"}", 0},
		{"{\"N\":\"-15.3\"}", "{\"N\":\"-15\"}", 0},
	};

	for (size_t i = 0; i < sizeof less / sizeof *less; i++) {
		struct value x = read_value(a, less[i].a), y = read_value(a, less[i].b);

		cr_assert(lt(int, value_compare(&x, &y), 0), "%s", less[i].a);
		cr_assert(gt(int, value_compare(&y, &x), 0), "%s", less[i].a);
		cr_assert(zero(int, value_compare(&x, &x)), "%s", less[i].a);
	}
}

struct size {
	const char *json;
	size_t want;
};

/* Tables, section 4, Item; computed by hand. */
Test(value, the_size_of_an_item_counts_names_and_values)
{
	static const struct size rows[] = {
		{"{}", 0},
		{"{\"id\":{\"S\":\"abc\"}}", 2 + 3},
		{"{\"é\":{\"S\":\"€\"}}", 2 + 3},
		{"{\"a\":{\"B\":\"AAAA\"}}", 1 + 3},
		{"{\"a\":{\"B\":\"\"}}", 1},
		{"{\"a\":{\"BOOL\":true},\"b\":{\"NULL\":true}}", 1 + 1 + 1 + 1},
		{"{\"n\":{\"N\":\"12345\"}}", 1 + 1 + 3},
		{"{\"n\":{\"N\":\"-12.5\"}}", 1 + 1 + 1 + 1 + 1},
		{"{\"a\":{\"SS\":[\"x\",\"yz\"]}}", 1 + 1 + 2},
		{"{\"a\":{\"NS\":[\"1\",\"100\"]}}", 1 + 2 + 2},
		{"{\"a\":{\"L\":[]}}", 1 + 3},
		{"{\"a\":{\"L\":[{\"S\":\"x\"},{\"N\":\"1\"}]}}", 1 + 3 + 2 + 1 + 2},
		{"{\"a\":{\"M\":{\"bc\":{\"S\":\"x\"}}}}", 1 + 3 + 1 + 2 + 1},
		{"{\"a\":{\"M\":{\"l\":{\"L\":[{\"NULL\":true}]}}}}",
		 1 + (3 + 1) + 1 + (3 + 1) + 1},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value_map item;
		struct refusal no;

		cr_assert(eq(int, read_item(a, span_str(rows[i].json), &item, &no), OK));
		cr_assert(eq(sz, item_size(&item), rows[i].want), "%s", rows[i].json);
	}
}

Test(value, the_depth_is_that_of_what_is_deepest)
{
	static const struct size rows[] = {
		{"{}", 0},
		{"{\"a\":{\"S\":\"x\"}}", 1},
		{"{\"a\":{\"SS\":[\"x\"]}}", 1},
		{"{\"a\":{\"L\":[]},\"b\":{\"M\":{}}}", 1},
		{"{\"a\":{\"L\":[{\"S\":\"x\"},{\"M\":{\"b\":{\"L\":[]}}}]},\"b\":{\"S\":"
		 "\"x\"}}",
		 3},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value_map item;
		struct refusal no;

		cr_assert(eq(int, read_item(a, span_str(rows[i].json), &item, &no), OK));
		cr_assert(eq(uint, item_depth(&item), rows[i].want), "%s", rows[i].json);
	}
}
