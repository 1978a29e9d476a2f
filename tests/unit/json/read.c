#include "json/read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>

static const struct json_path whole = {NULL, 0};

/* Is the text one JSON document? */
static bool good(const char *text, size_t n)
{
	struct json_value v;

	return json_find(span_of(text, n), &whole, &v) == OK;
}

struct row {
	char text[40];
	bool good;
};

/* What the grammar of RFC 8259 lets pass, and what it does not. */
ParameterizedTestParameters(json, grammar)
{
	static struct row rows[] = {
		{"{}", true},
		{"[]", true},
		{" \t\r\n[ 1 , 2 ] \n", true},
		{"\"\"", true},
		{"null", true},
		{"true", true},
		{"false", true},
		{"{\"\":{\"a\":[]}}", true},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", true},
		{"\"\\ud83d\\ude00\"", true},
		{"\"\\ud83d\"",
		 true}, /* 8.2: within the grammar; json_unescape refuses it */
		{"\"\x7f\"", true},
		{"\"κόσμε, longer than eight\"", true},
		{"0", true},
		{"-0", true},
		{"-12.50e+10", true},
		{"1E0", true},
		{"0e-1", true},
		{"", false},
		{" ", false},
		{"{", false},
		{"[", false},
		{"]", false},
		{"[1,]", false},
		{"[,1]", false},
		{"[1 2]", false},
		{"[1}", false},
		{"{\"a\"}", false},
		{"{\"a\":}", false},
		{"{\"a\":1,}", false},
		{"{,}", false},
		{"{\"a\":1 \"b\":2}", false},
		{"{a:1}", false},
		{"{'a':1}", false},
		{"{1:1}", false},
		{"{\"action\":\"x\", body:\"hello\"}", false},
		{"1 2", false},
		{"{}{}", false},
		{"{} x", false},
		{"\"a", false},
		{"\"a\\\"", false},
		{"\"\\x41\"", false},
		{"\"\\u12\"", false},
		{"\"\\u12g4\"", false},
		{"\"\\U0041\"", false},
		{"\"a\tb\"", false},
		{"\"eight ch\x1f\"", false},
		{"\"\xff\"", false},
		{"\"\xc0\xaf\"", false},
		{"\"\xed\xa0\x80 a surrogate\"", false},
		{"\"cut \xe2\x82\"", false},
		{"\xef\xbb\xbf{}", false}, /* a byte order mark */
		{"01", false},
		{"+1", false},
		{".5", false},
		{"1.", false},
		{"1e", false},
		{"1e+", false},
		{"-", false},
		{"--1", false},
		{"0x10", false},
		{"NaN", false},
		{"Infinity", false},
		{"tru", false},
		{"True", false},
		{"nullx", false},
		{"[1] // no", false},
		{"/**/[]", false},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, json, grammar)
{
	cr_assert(eq(int, good(r->text, strlen(r->text)), r->good), "%s", r->text);
}

Test(json, no_prefix_of_an_object_is_a_document)
{
	static const char text[] =
		"{\"a\":[1,2.5e3,\"x\\u00e9\\n€\",true,false,null,{\"b\":{}}]}";

	for (size_t n = 0; n < sizeof text - 1; n++)
		cr_assert(not(good(text, n)), "%zu", n);
	cr_assert(good(text, sizeof text - 1));
}

Test(json, a_nul_is_refused_wherever_it_stands)
{
	static const char text[] = "{\"a\":[1,\"xyz\",true]}";

	for (size_t at = 0; at < sizeof text - 1; at++) {
		char bad[sizeof text];

		memcpy(bad, text, sizeof text);
		bad[at] = '\0';
		cr_assert(not(good(bad, sizeof text - 1)), "%zu", at);
	}
}

/* levels of arrays, or of objects, one in the other; freed by the caller. */
static char *nested(size_t levels, const char *open, const char *close)
{
	size_t n = strlen(open);
	char *text = calloc(1, levels * (n + 1) + 2);

	for (size_t i = 0; i < levels; i++)
		memcpy(text + i * n, open, n);
	text[levels * n] = '0';
	for (size_t i = 0; i < levels; i++)
		text[levels * n + 1 + i] = *close;
	return text;
}

static enum err read_nested(size_t levels, const char *open, const char *close,
			    struct json_report *report)
{
	char *text = nested(levels, open, close);
	struct json_value v;
	enum err e = json_read(span_str(text), &whole, 0, &v, report);

	free(text);
	return e;
}

Test(json, one_level_more_than_json_depth_is_too_big_and_says_where)
{
	static const size_t depths[] = {JSON_DEPTH_LEAST, 63, 64, 65, JSON_DEPTH,
					JSON_DEPTH_MOST};

	cr_assert(eq(sz, json_depth(), JSON_DEPTH));
	for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
		size_t n = depths[i];
		struct json_report report;

		json_set_depth(n);
		cr_assert(eq(int, read_nested(n, "[", "]", NULL), OK), "%zu", n);
		cr_assert(eq(int, read_nested(n, "{\"a\":", "}", NULL), OK), "%zu", n);
		cr_assert(eq(int, read_nested(n + 1, "[", "]", &report), ERR_TOOBIG));
		cr_assert(eq(sz, report.at, n));
		cr_assert(
			eq(int, read_nested(n + 1, "{\"a\":", "}", &report), ERR_TOOBIG));
		cr_assert(eq(sz, report.at, 5 * n));
	}
}

Test(json, brackets_must_close_what_was_opened_on_each_level)
{
	for (size_t at = 0; at < 130; at++) {
		char *text = nested(130, "[", "]");

		text[131 + at] = '}';
		cr_assert(not(good(text, strlen(text))), "%zu", at);
		free(text);
	}
}

Test(json, a_value_below_hundreds_of_levels_is_found)
{
	char *text = nested(JSON_DEPTH, "{\"a\":", "}");
	struct json_step steps[JSON_DEPTH];
	struct json_value v;

	for (size_t i = 0; i < JSON_DEPTH; i++)
		steps[i] = (struct json_step){.key = span_str("a")};
	cr_assert(
		eq(int,
		   json_find(span_str(text), &(struct json_path){steps, JSON_DEPTH}, &v),
		   OK));
	cr_assert(span_is(v.raw, "0"));
	free(text);
}

Test(json, special_bytes_are_seen_at_each_place_of_a_long_string)
{
	for (size_t at = 1; at < 39; at++) {
		char text[40];

		memset(text, 'a', sizeof text);
		text[0] = text[39] = '"';
		text[at] = '"';
		cr_assert(not(good(text, sizeof text)), "a quote at %zu", at);
		text[at] = '\x1f';
		cr_assert(not(good(text, sizeof text)), "a control byte at %zu", at);
		text[at] = '\xbf';
		cr_assert(not(good(text, sizeof text)), "a stray byte at %zu", at);
		text[at] = '\\';
		cr_assert(not(good(text, sizeof text)), "a backslash at %zu", at);
		text[at] = '\x20';
		cr_assert(good(text, sizeof text), "a blank at %zu", at);
	}
}

static struct json_step key(const char *name)
{
	return (struct json_step){.key = span_str(name)};
}

static struct json_step element(size_t index)
{
	return (struct json_step){.index = index};
}

/* The value that the steps lead to, as written; "" when it is missing. */
static struct json_value find(const char *doc, const struct json_step *steps, size_t n)
{
	struct json_value v;

	cr_assert(
		eq(int, json_find(span_str(doc), &(struct json_path){steps, n}, &v), OK),
		"%s", doc);
	cr_assert(eq(int, v.kind == JSON_IS_MISSING, v.raw.n == 0));
	return v;
}

Test(json, finds_each_kind_as_it_is_written)
{
	static const char doc[] =
		"{\"s\":\"x\\n\",\"n\":-1.50,\"t\":true,\"f\":false,\"z\":null,"
		"\"o\":{ \"a\" : 1 },\"a\":[ 1, 2 ]}";
	static const struct {
		const char *name;
		enum json_kind kind;
		const char *raw;
	} rows[] = {
		{"s", JSON_IS_STRING, "\"x\\n\""}, {"n", JSON_IS_NUMBER, "-1.50"},
		{"t", JSON_IS_TRUE, "true"},       {"f", JSON_IS_FALSE, "false"},
		{"z", JSON_IS_NULL, "null"},       {"o", JSON_IS_OBJECT, "{ \"a\" : 1 }"},
		{"a", JSON_IS_ARRAY, "[ 1, 2 ]"},  {"nope", JSON_IS_MISSING, ""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_step step = key(rows[i].name);
		struct json_value v = find(doc, &step, 1);

		cr_assert(eq(int, v.kind, rows[i].kind), "%s", rows[i].name);
		cr_assert(span_is(v.raw, rows[i].raw), "%s", rows[i].name);
	}
}

Test(json, goes_down_through_objects_and_arrays)
{
	static const char doc[] =
		"{\"x\":{\"b\":0},\"a\":{\"b\":[0,[5],{\"c\":7}],\"c\":1}}";

	cr_assert(span_is(
		find(doc, (struct json_step[]){key("a"), key("b"), element(2), key("c")},
		     4)
			.raw,
		"7"));
	cr_assert(span_is(
		find(doc,
		     (struct json_step[]){key("a"), key("b"), element(1), element(0)}, 4)
			.raw,
		"5"));
	cr_assert(span_is(
		find(doc, (struct json_step[]){key("a"), key("b"), element(3)}, 3).raw,
		""));
	cr_assert(span_is(find(doc, (struct json_step[]){key("a"), element(0)}, 2).raw,
			  ""));
	cr_assert(span_is(
		find(doc, (struct json_step[]){key("a"), key("b"), key("c")}, 3).raw,
		""));
	cr_assert(span_is(find(doc, NULL, 0).raw, doc));
}

Test(json, elements_are_counted_past_what_is_nested_in_those_before)
{
	static const char doc[] = "[[[1],2],{\"a\":[3]},[[4],[5,6]],7]";

	cr_assert(span_is(find(doc, (struct json_step[]){element(3)}, 1).raw, "7"));
	cr_assert(span_is(
		find(doc, (struct json_step[]){element(2), element(1), element(1)}, 3)
			.raw,
		"6"));
	cr_assert(span_is(find(doc, (struct json_step[]){element(0), element(1)}, 2).raw,
			  "2"));
	cr_assert(span_is(find(doc, (struct json_step[]){element(2)}, 1).raw,
			  "[[4],[5,6]]"));
	cr_assert(span_is(find(doc, (struct json_step[]){element(4)}, 1).raw, ""));
}

struct place {
	char doc[40];
	size_t at;
	char expected[60];
};

ParameterizedTestParameters(json, says_where_and_what_is_expected)
{
	static struct place rows[] = {
		{"", 0, "a value"},
		{"  x", 2, "a value"},
		{"{\"a\" 1}", 5, "a colon"},
		{"{\"a\":1 \"b\":2}", 7, "a comma or }"},
		{"[1 2]", 3, "a comma or ]"},
		{"{a:1}", 1, "a name in quotes"},
		{"{\"a\":}", 5, "a value"},
		{"{} x", 3, "the end"},
		{"\"abc", 4, "the closing quote of a string"},
		{"\"a\\x\"", 2, "one of the escapes of JSON"},
		{"\"a\tb\"", 2, "an escape in the place of a control character"},
		{"[\"\xc3\xa9 \xff\"]", 5, "UTF-8"},
		{"[1.]", 3, "a digit"},
		{"[NaN]", 1, "a value"},
	};
	return cr_make_param_array(struct place, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct place *r, json, says_where_and_what_is_expected)
{
	struct json_report report;
	struct json_value v;

	cr_assert(eq(int, json_read(span_str(r->doc), &whole, 0, &v, &report),
		     ERR_MALFORMED),
		  "%s", r->doc);
	cr_assert(eq(sz, report.at, r->at), "%s", r->doc);
	cr_assert(eq(str, (char *)(uintptr_t)report.expected, r->expected), "%s", r->doc);
}

struct returned {
	char doc[60];
	enum err want;
	bool not_utf8;
};

/* What functions return, and strict readers refuse. */
ParameterizedTestParameters(json, of_function)
{
	static struct returned rows[] = {
		{"[NaN, Infinity, -Infinity]", OK, false},
		{"{\"a\":NaN}", OK, false},
		{"\xef\xbb\xbf{\"a\":1}", OK, false},
		{"\"a\nb\tc\"", OK, false},
		{"\"\xff\"", OK, true},
		{"{\"cut \xe2\x82\":1}", OK, true},
		{"\"\xc3\xa9\"", OK, false},
		{"-NaN", ERR_MALFORMED, false},
		{"nan", ERR_MALFORMED, false},
		{"Inf", ERR_MALFORMED, false},
		{"[1]\xff", ERR_MALFORMED, false},
		{"{a:1}", ERR_MALFORMED, false},
		{"[1,]", ERR_MALFORMED, false},
	};
	return cr_make_param_array(struct returned, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct returned *r, json, of_function)
{
	struct json_report report;
	struct json_value v;

	cr_assert(eq(int,
		     json_read(span_str(r->doc), &whole, JSON_OF_FUNCTION, &v, &report),
		     r->want),
		  "%s", r->doc);
	cr_assert(eq(int, report.not_utf8, r->not_utf8), "%s", r->doc);
	if (r->want == OK && r->doc[0] != '"')
		cr_assert(v.raw.p[0] == '[' || v.raw.p[0] == '{', "%s", r->doc);
}

Test(json, of_two_members_of_one_name_the_last_counts)
{
	struct json_step ab[] = {key("a"), key("b")};

	cr_assert(span_is(find("{\"a\":1,\"a\":2}", ab, 1).raw, "2"));
	cr_assert(span_is(find("{\"a\":{\"b\":1},\"a\":{\"b\":2}}", ab, 2).raw, "2"));
	cr_assert(span_is(find("{\"a\":{\"b\":1},\"a\":{\"c\":2}}", ab, 2).raw, ""));
	cr_assert(span_is(find("{\"a\":{\"b\":1},\"a\":3}", ab, 2).raw, ""));
	cr_assert(span_is(find("{\"a\":{\"b\":1},\"c\":3}", ab, 2).raw, "1"));
}

Test(json, a_name_is_compared_unescaped)
{
	struct json_step step = key("act/ion é😀");
	struct json_step shorter = key("act");

	cr_assert(span_is(
		find("{\"\\u0061ct\\/ion \\u00E9\\ud83d\\ude00\":1}", &step, 1).raw,
		"1"));
	cr_assert(span_is(find("{\"\\u0061ction\":1}", &shorter, 1).raw, ""));
	cr_assert(span_is(find("{\"\\u0061c\":1}", &shorter, 1).raw, ""));
	cr_assert(span_is(find("{\"\\ud800\":1}", &shorter, 1).raw, ""));
}

Test(json, what_is_malformed_after_the_value_is_malformed_too)
{
	struct json_step step = key("a");
	struct json_value v;

	cr_assert(eq(int,
		     json_find(span_str("{\"a\":1,\"b\":tru}"),
			       &(struct json_path){&step, 1}, &v),
		     ERR_MALFORMED));
}

struct bare {
	char doc[60];
	enum err want;
	char value[20];
};

/* aws-websocket-api 1.2: two captures of messages that API Gateway routed. */
ParameterizedTestParameters(json, bare_keys)
{
	static struct bare rows[] = {
		{"{\"action\":\"sendMessage\", body:\"hello\"}", OK, "\"sendMessage\""},
		{"{action: \"laconia\"}", OK, "\"laconia\""},
		{"{ $a-1_ : 1, action : 2 }", OK, "2"},
		{"{\"action\": 1}", OK, "1"},
		{"{action: laconia}", ERR_MALFORMED, ""},
		{"{: 1}", ERR_MALFORMED, ""},
		{"{act ion: 1}", ERR_MALFORMED, ""},
		{"{'action': 1}", ERR_MALFORMED, ""},
		{"{action: 1,}", ERR_MALFORMED, ""},
		{"{action", ERR_MALFORMED, ""},
	};
	return cr_make_param_array(struct bare, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bare *r, json, bare_keys)
{
	struct json_step step = {.key = span_str("action")};
	struct json_path path = {&step, 1};
	struct json_value v;
	enum err e = json_read(span_str(r->doc), &path, JSON_BARE_KEYS, &v, NULL);

	cr_assert(eq(int, e, r->want), "%s", r->doc);
	if (e == OK)
		cr_assert(span_is(v.raw, r->value), "%s", r->doc);
	if (strchr(r->doc, '"') == NULL || strstr(r->doc, "body:") != NULL)
		cr_assert(eq(int, json_find(span_str(r->doc), &path, &v), ERR_MALFORMED));
}
