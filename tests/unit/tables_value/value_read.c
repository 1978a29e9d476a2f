#include "read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static struct arena *a;

static void begin(void)
{
	a = arena_new();
}

static void end(void)
{
	arena_free(a);
}

TestSuite(value_read, .init = begin, .fini = end);

#define EMPTY                                                                            \
	"Supplied AttributeValue is empty, must contain exactly one of the supported "   \
	"datatypes"
#define SEVERAL                                                                          \
	"Supplied AttributeValue has more than one datatypes set, must contain exactly " \
	"one of the supported datatypes"
#define INVALID   "One or more parameter values were invalid: "
#define NO_NUMBER "The parameter cannot be converted to a numeric value"

struct row {
	const char *json, *want;
};

/* Tables, section 4: one member; members that are null or unknown count as absent. */
Test(value_read, a_value_is_its_one_member)
{
	static const struct row rows[] = {
		{"{\"S\":\"a\"}", "{\"S\":\"a\"}"},
		{"{\"S\":\"\"}", "{\"S\":\"\"}"},
		{"{\"S\":\"a\",\"N\":null}", "{\"S\":\"a\"}"},
		{"{\"L\":null,\"S\":\"a\"}", "{\"S\":\"a\"}"},
		{"{\"x\":[{\"S\":1}],\"S\":\"a\",\"s\":7}", "{\"S\":\"a\"}"},
		{"{\"\\u0053\":\"a\"}", "{\"S\":\"a\"}"},
		{"{\"\\u0053\\u0053\":[\"a\"]}", "{\"SS\":[\"a\"]}"},
		{"{\"S\":\"\\u0000\"}", "{\"S\":\"\\u0000\"}"},
		{"{\"B\":\"\"}", "{\"B\":\"\"}"},
		{"{\"B\":\"\\u0041A==\"}", "{\"B\":\"AA==\"}"},
		{"{\"N\":\"\\u0031.0\"}", "{\"N\":\"1\"}"},
		{"{\"SS\":[\"\"]}", "{\"SS\":[\"\"]}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value v = read_value(a, rows[i].json);

		cr_assert(eq(str, written(a, &v), (char *)rows[i].want));
	}
}

/* Tables, section 4, and the texts of section 3. */
Test(value_read, what_is_no_value_is_refused_with_its_sentence)
{
	static const struct row rows[] = {
		{"{}", EMPTY},
		{"{\"x\":\"a\"}", EMPTY},
		{"{\"s\":\"a\"}", EMPTY},
		{"{\"S\":null}", EMPTY},
		{"null", EMPTY},
		{"{\"L\":[{}]}", EMPTY},
		{"{\"L\":[null]}", EMPTY},
		{"{\"M\":{\"a\":{}}}", EMPTY},
		{"{\"M\":{\"a\":null}}", EMPTY},
		{"{\"S\":\"a\",\"N\":\"1\"}", SEVERAL},
		{"{\"S\":\"a\",\"S\":\"a\"}", SEVERAL},
		{"{\"M\":{\"a\":{\"S\":\"a\",\"N\":\"1\"}}}", SEVERAL},
		{"{\"NULL\":false}",
		 INVALID "Null attribute value types must have the value of true"},
		{"{\"SS\":[]}", INVALID "An string set  may not be empty"},
		{"{\"NS\":[]}", INVALID "An number set  may not be empty"},
		{"{\"BS\":[]}", INVALID "Binary sets should not be empty"},
		{"{\"SS\":[\"a\",\"a\"]}",
		 INVALID "Input collection [a, a] contains duplicates."},
		{"{\"SS\":[\"b\",\"a\",\"b\"]}",
		 INVALID "Input collection [b, a, b] contains duplicates."},
		{"{\"SS\":[\"\",\"\"]}",
		 INVALID "Input collection [, ] contains duplicates."},
		{"{\"NS\":[\"1\",\"1\"]}", "Input collection contains duplicates"},
		{"{\"NS\":[\"1\",\"2\",\"1.0\"]}",
		 "Input collection contains duplicates"},
		{"{\"NS\":[\"0\",\"-0\"]}", "Input collection contains duplicates"},
		{"{\"BS\":[\"Yg==\",\"Yg==\"]}",
		 INVALID "Input collection [Yg==, Yg==]of type BS contains duplicates."},
		{"{\"SS\":[\"a\",null]}",
		 INVALID "A set may not have a null as a member"},
		{"{\"N\":\"\"}", NO_NUMBER},
		{"{\"N\":\"b\"}", NO_NUMBER ": b"},
		{"{\"N\":\" 5\"}", NO_NUMBER ":  5"},
		{"{\"NS\":[\"1\",\"\"]}", NO_NUMBER},
		{"{\"L\":[{\"M\":{\"a\":{\"N\":\"0x1\"}}}]}", NO_NUMBER ": 0x1"},
		{"{\"N\":\"1e126\"}",
		 "Number overflow. Attempting to store a number with "
		 "magnitude larger than supported range"},
		{"{\"NS\":[\"1e-131\"]}",
		 "Number underflow. Attempting to store a number with "
		 "magnitude smaller than supported range"},
		{"{\"N\":\"123456789012345678901234567890123456789\"}",
		 "Attempting to store more than 38 significant digits in a Number"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value v;
		struct refusal no = {0};

		cr_assert(eq(int, read_text(a, span_str(rows[i].json), &v, &no),
			     ERR_MALFORMED),
			  "%s", rows[i].json);
		cr_assert(eq(str, (char *)no.message, (char *)rows[i].want), "%s",
			  rows[i].json);
		cr_assert(eq(str, (char *)no.type, "ValidationException"), "%s",
			  rows[i].json);
	}
}

/* Tables, section 3: a member of wrong JSON type is a SerializationException. */
Test(value_read, a_wrong_json_type_is_a_serialization_exception)
{
	static const struct row rows[] = {
		{"7", "Unexpected value type in payload"},
		{"\"a\"", "Unexpected value type in payload"},
		{"[]", "Unrecognized collection type class AttributeValue"},
		{"{\"N\":5}", "NUMBER_VALUE cannot be converted to String"},
		{"{\"S\":5}", "NUMBER_VALUE cannot be converted to String"},
		{"{\"S\":true}", "TRUE_VALUE cannot be converted to String"},
		{"{\"S\":[]}", "Unrecognized collection type class String"},
		{"{\"S\":{}}", "Start of structure or map found where not expected"},
		{"{\"B\":5}", "only base-64-encoded strings are convertible to bytes"},
		{"{\"B\":\"AAA\"}",
		 "Base64 encoded length is expected a multiple of 4 bytes but found: 3"},
		{"{\"B\":\"AA=A\"}", "Invalid Base64 character or padding"},
		{"{\"B\":\"AB==\"}", "Invalid Base64 character or padding"},
		{"{\"B\":\"AA \\n\"}", "Invalid Base64 character or padding"},
		{"{\"B\":\"-_-_\"}", "Invalid Base64 character or padding"},
		{"{\"BOOL\":\"true\"}", "STRING_VALUE cannot be converted to Boolean"},
		{"{\"BOOL\":1}", "NUMBER_VALUE cannot be converted to Boolean"},
		{"{\"NULL\":\"no\"}", "STRING_VALUE cannot be converted to Boolean"},
		{"{\"L\":{}}", "Start of structure or map found where not expected"},
		{"{\"L\":\"a\"}", "STRING_VALUE cannot be converted to List"},
		{"{\"L\":[\"a\"]}", "Unexpected value type in payload"},
		{"{\"M\":[]}", "Unrecognized collection type class Map"},
		{"{\"M\":\"a\"}", "STRING_VALUE cannot be converted to Map"},
		{"{\"M\":{\"a\":\"b\"}}", "Unexpected value type in payload"},
		{"{\"SS\":\"a\"}", "STRING_VALUE cannot be converted to List"},
		{"{\"SS\":[1]}", "NUMBER_VALUE cannot be converted to String"},
		{"{\"NS\":[1]}", "NUMBER_VALUE cannot be converted to String"},
		{"{\"BS\":[1]}", "only base-64-encoded strings are convertible to bytes"},
		{"{\"S\":\"\\ud800\"}", "Half of a surrogate pair in a string"},
		{"{\"M\":{\"\\udc00\":{\"S\":\"a\"}}}",
		 "Half of a surrogate pair in a string"},
		{"{\"M\":{\"a\":{\"S\":\"a\"},\"b\":{\"S\":\"a\"},\"\\u0061\":{\"S\":"
		 "\"b\"}}}",
		 "Two members of a map have the same name"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct value v;
		struct refusal no = {0};

		cr_assert(eq(int, read_text(a, span_str(rows[i].json), &v, &no),
			     ERR_MALFORMED),
			  "%s", rows[i].json);
		cr_assert(eq(str, (char *)no.message, (char *)rows[i].want), "%s",
			  rows[i].json);
		cr_assert(eq(str, (char *)no.type, "SerializationException"), "%s",
			  rows[i].json);
	}
}

/* n times what opens, a value, and what closes. */
static struct span nested(const char *open, const char *close, int n)
{
	char *text = arena_alloc(a, (strlen(open) + strlen(close)) * (size_t)n + 20),
	     *p = text;

	for (int i = 0; i < n; i++)
		p = stpcpy(p, open);
	p = stpcpy(p, "{\"S\":\"x\"}");
	for (int i = 0; i < n; i++)
		p = stpcpy(p, close);
	return span_of(text, (size_t)(p - text));
}

/* Tables, section 4: 32 levels, the attribute's own value on the first. */
Test(value_read, nesting_ends_at_its_limit)
{
	struct value v;
	struct refusal no;
	struct json_value deep = {.kind = JSON_IS_OBJECT};

	cr_assert(eq(int, read_text(a, nested("{\"L\":[", "]}", 31), &v, &no), OK));
	cr_assert(eq(int, read_text(a, nested("{\"M\":{\"a\":", "}}", 31), &v, &no), OK));
	cr_assert(eq(int, read_text(a, nested("{\"L\":[", "]}", 32), &v, &no),
		     ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.message,
		     "Nesting Levels have exceeded supported limits: Attributes in the "
		     "item have nested levels beyond supported limit"));
	cr_assert(eq(int, read_text(a, nested("{\"M\":{\"a\":", "}}", 32), &v, &no),
		     ERR_MALFORMED));
	deep.raw =
		nested("{\"L\":[", "]}", 200000); /* json_read refuses this one before */
	cr_assert(eq(int, value_read(a, &deep, &v, &no), ERR_MALFORMED));
}

static char *item_of(size_t n, const char *fill)
{
	char *text = arena_alloc(a, n + 40);
	char *p = stpcpy(text, "{\"S\":\"");

	memset(p, *fill, n);
	strcpy(p + n, "\"}");
	return text;
}

/* Tables, section 4: 409,600 bytes; what is more is refused before all of it is kept. */
Test(value_read, a_value_larger_than_an_item_is_refused)
{
	struct value v;
	struct refusal no;
	enum { ELEMENTS = 1000000 };
	char *text = malloc(16 * ELEMENTS + 20), *p = text;
	size_t before;

	cr_assert(eq(int, read_text(a, span_str(item_of(VALUE_ITEM_MOST, "a")), &v, &no),
		     OK));
	cr_assert(eq(int,
		     read_text(a, span_str(item_of(VALUE_ITEM_MOST + 1, "a")), &v, &no),
		     ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.message,
		     "Item size has exceeded the maximum allowed size"));
	p = stpcpy(p, "{\"L\":[");
	for (int i = 0; i < ELEMENTS; i++)
		p = stpcpy(p, i ? ",{\"NULL\":true}" : "{\"NULL\":true}");
	p = stpcpy(p, "]}");
	before = arena_bytes(a);
	cr_assert(eq(int, read_text(a, span_of(text, (size_t)(p - text)), &v, &no),
		     ERR_MALFORMED));
	cr_assert(lt(sz, arena_bytes(a) - before, 4096));
	p = stpcpy(text, "{\"SS\":[\"\"");
	for (int i = 0; i < ELEMENTS; i++)
		p = stpcpy(p, ",\"\"");
	p = stpcpy(p, "]}");
	cr_assert(eq(int, read_text(a, span_of(text, (size_t)(p - text)), &v, &no),
		     ERR_MALFORMED));
	cr_assert(lt(sz, arena_bytes(a) - before, 4096));
	free(text);
}

Test(value_read, a_name_has_a_limit)
{
	char *text = arena_alloc(a, VALUE_NAME_MOST + 40);
	struct value_map item;
	struct refusal no;

	for (int more = 0; more < 2; more++) {
		char *p = stpcpy(text, "{\"");

		memset(p, 'n', VALUE_NAME_MOST + (size_t)more);
		strcpy(p + VALUE_NAME_MOST + more, "\":{\"S\":\"\"}}");
		cr_assert(eq(int, read_item(a, span_str(text), &item, &no),
			     more ? ERR_MALFORMED : OK));
	}
	cr_assert(eq(str, (char *)no.type, "ValidationException"));
}

Test(value_read, an_item_is_an_object_of_values)
{
	struct value_map item;
	struct refusal no;

	cr_assert(eq(int, read_item(a, span_str("{}"), &item, &no), OK));
	cr_assert(zero(sz, item.n));
	cr_assert(eq(int,
		     read_item(a, span_str("{\"b\":{\"N\":\"01\"},\"a\":{\"S\":\"\"}}"),
			       &item, &no),
		     OK));
	cr_assert(eq(str, written_item(a, &item),
		     "{\"a\":{\"S\":\"\"},\"b\":{\"N\":\"1\"}}"));
	cr_assert(eq(int, read_item(a, span_str("[]"), &item, &no), ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.type, "SerializationException"));
	cr_assert(eq(int,
		     read_item(a, span_str("{\"a\":{\"S\":\"\"},\"a\":{\"S\":\"\"}}"),
			       &item, &no),
		     ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.type, "SerializationException"));
	cr_assert(eq(int, read_item(a, span_str("{\"a\":null}"), &item, &no),
		     ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.message, EMPTY));
}

Test(value_read, a_refusal_repeats_no_more_than_a_part_of_the_request)
{
	char *text = arena_alloc(a, 100000);
	struct value v;
	struct refusal no;

	memset(text, 'x', 100000);
	memcpy(text, "{\"N\":\"", 6);
	memcpy(text + 99990, "\"}", 3);
	cr_assert(eq(int, read_text(a, span_str(text), &v, &no), ERR_MALFORMED));
	cr_assert(lt(sz, strlen(no.message), 400));
	snprintf(text, 100000, "{\"SS\":[\"a\",\"%0*d\",\"a\"]}", 50000, 0);
	cr_assert(eq(int, read_text(a, span_str(text), &v, &no), ERR_MALFORMED));
	cr_assert(eq(str, (char *)no.message,
		     INVALID "Input collection [a…] contains duplicates."));
}

static const char whole_item[] =
	"{\"id\":{\"S\":\"a\\u00e9\\n\"},\"n\":{\"N\":\"-1.5e3\"},\"b\":{\"B\":\"AAE=\"},"
	"\"t\":{\"BOOL\":true},\"z\":{\"NULL\":true},\"l\":{\"L\":[{\"S\":\"x\"},{\"L\":["
	"]}]},"
	"\"m\":{\"M\":{\"q\":{\"NS\":[\"2\",\"1.0\"]},\"r\":{\"BS\":[\"AA==\"]}}},\"ss\":"
	"{\"SS\":"
	"[\"b\",\"a\"]}}";

/* What a crash leaves in Redis is never more than this: cut text, or other bytes. */
Test(value_read, each_prefix_of_a_stored_item_is_damaged)
{
	struct value_map item;

	cr_assert(eq(int, value_read_stored(a, span_str(whole_item), &item), OK));
	cr_assert(eq(sz, item.n, 8));
	for (size_t n = 0; n + 1 < sizeof whole_item; n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, whole_item, n);
		cr_assert(eq(int, value_read_stored(a, span_of(copy, n), &item),
			     ERR_MALFORMED));
		free(copy);
	}
	cr_assert(eq(int, value_read_stored(a, span_str("{\"a\":{\"S\":1}}"), &item),
		     ERR_MALFORMED));
	cr_assert(eq(int, value_read_stored(a, span_str("[]"), &item), ERR_MALFORMED));
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Time of a text of n elements: a set that falls, values nested deeply beside each other, members in falling order. */
static double cost(int kind, int n)
{
	static const char *const opens[] = {"{\"a\":{\"NS\":[", "{\"a\":{\"L\":[", "{"};
	static const char *const closes[] = {"]}}", "]}}", "}"};
	char *text = malloc((size_t)n * 200 + 100), *p = stpcpy(text, opens[kind]);
	struct value_map item;
	struct refusal no;
	struct arena *own = arena_new();
	double start;

	for (int i = n; i-- > 0;) {
		if (kind == 0)
			p += sprintf(p, "\"%d\"", i);
		else if (kind == 1)
			p = stpcpy(p, "{\"L\":[{\"L\":[{\"L\":[{\"L\":[{\"L\":[{\"L\":[{"
				      "\"L\":[{\"N\":\"1\"}]}]}]}]}]}]}]}");
		else
			p += sprintf(p, "\"%d\":{\"N\":\"1\"}", i);
		if (i > 0)
			*p++ = ',';
	}
	p = stpcpy(p, closes[kind]);
	start = seconds();
	cr_assert(eq(int, read_item(own, span_of(text, (size_t)(p - text)), &item, &no),
		     OK),
		  "%s", no.message);
	start = seconds() - start;
	arena_free(own);
	free(text);
	return start;
}

/* n log n at most: sixteen times the text takes far less than sixteen times sixteen the time. */
Test(value_read, large_texts_are_read_in_linear_time_or_little_more)
{
	for (int kind = 0; kind < 3; kind++) {
		double small = 1e9, large = 1e9;

		for (int i = 0; i < 3;
		     i++) { /* the quickest: others use the machine too */
			double s = cost(kind, 500), l = cost(kind, 8000);

			small = s < small ? s : small;
			large = l < large ? l : large;
		}
		cr_assert(lt(dbl, large, small * 16 * 6), "kind %d: %g s, %g s", kind,
			  small, large);
	}
}
