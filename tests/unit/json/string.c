#include "json/read.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

struct text {
	char raw[40];
	char want[24];
	enum err err;
};

ParameterizedTestParameters(json, unescape)
{
	static struct text rows[] = {
		{"\"\"", "", OK},
		{"\"plain\"", "plain", OK},
		{"\"a\\\"b\\\\c\\/d\"", "a\"b\\c/d", OK},
		{"\"\\b\\f\\n\\r\\t\"", "\b\f\n\r\t", OK},
		{"\"\\u0041\\u00e9\\u20AC\"", "Aé€", OK},
		{"\"\\uD83D\\uDE00!\"", "😀!", OK},
		{"\"\\uDBFF\\uDFFF\"", "\U0010ffff", OK},
		{"\"\\ud83d\"", "", ERR_MALFORMED},
		{"\"\\ude00\"", "", ERR_MALFORMED},
		{"\"\\ud83dx\"", "", ERR_MALFORMED},
		{"\"\\ud83d\\n\"", "", ERR_MALFORMED},
		{"\"\\ud83d\\u0041\"", "", ERR_MALFORMED},
		{"\"\\ud83d\\ud83d\"", "", ERR_MALFORMED},
	};

	return cr_make_param_array(struct text, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct text *t, json, unescape)
{
	uint8_t room[40];
	struct span out;

	cr_assert(
		eq(int, json_unescape(span_str(t->raw), room, sizeof room, &out), t->err),
		"%s", t->raw);
	if (t->err == OK)
		cr_assert(span_is(out, t->want), "%s", t->raw);
}

Test(json, each_half_of_a_surrogate_pair_becomes_one_replacement_character)
{
	static const struct {
		const char *raw, *want;
		bool good;
	} rows[] = {
		{"\"a\\ud83d\"", "a\xef\xbf\xbd", false},
		{"\"\\ude00b\"",
		 "\xef\xbf\xbd"
		 "b",
		 false},
		{"\"\\ud83dx\"", "\xef\xbf\xbdx", false},
		{"\"\\ud83d\\n\"", "\xef\xbf\xbd\n", false},
		{"\"\\ud83d\\u0041\"",
		 "\xef\xbf\xbd"
		 "A",
		 false},
		{"\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd😀", false},
		{"\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd", false},
		{"\"\\ud83d\\ude00\"", "😀", true},
		{"\"plain\"", "plain", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t room[40];
		struct span out;

		cr_assert(eq(int,
			     json_unescape_lenient(span_str(rows[i].raw), room, &out),
			     rows[i].good),
			  "%s", rows[i].raw);
		cr_assert(span_is(out, rows[i].want), "%s", rows[i].raw);
	}
}

Test(json, a_string_without_escapes_is_not_copied)
{
	static const char raw[] = "\"as it is\"";
	struct span out;

	cr_assert(eq(int, json_unescape(span_str(raw), NULL, 0, &out), OK));
	cr_assert(eq(ptr, (void *)out.p, (void *)(raw + 1)));
}

Test(json, an_escaped_nul_is_a_byte_like_others)
{
	uint8_t room[8];
	struct span out;

	cr_assert(eq(int,
		     json_unescape(span_str("\"a\\u0000b\""), room, sizeof room, &out),
		     OK));
	cr_assert(span_eq(out, span_of("a\0b", 3)));
}

Test(json, a_room_of_the_size_is_enough_and_one_byte_less_is_too_small)
{
	uint8_t room[6];
	struct span out;

	cr_assert(eq(int, json_unescape(span_str("\"\\n€\\n\""), room, 5, &out), OK));
	cr_assert(eq(int, json_unescape(span_str("\"\\n€\\n\""), room, 4, &out),
		     ERR_TOOBIG));
	cr_assert(eq(int, json_unescape(span_str("\"\\n€\\n\""), room, 3, &out),
		     ERR_TOOBIG));
}

static void expect_escaped(struct span in, const char *want)
{
	struct evbuffer *out = evbuffer_new();
	struct span got;

	json_escape(in, out);
	got = span_of(evbuffer_pullup(out, -1), evbuffer_get_length(out));
	cr_assert(span_is(got, want), "%.*s", SPAN_ARG(got));
	evbuffer_free(out);
}

Test(json, escapes_what_must_be_and_replaces_what_is_not_utf8)
{
	expect_escaped(span_str(""), "\"\"");
	expect_escaped(span_str("plain κόσμε 😀"), "\"plain κόσμε 😀\"");
	expect_escaped(span_str("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
	expect_escaped(span_str("\b\f\n\r\t\x01\x1f\x7f"),
		       "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
	expect_escaped(span_of("\0", 1), "\"\\u0000\"");
	expect_escaped(span_str("a\xffz"), "\"a\xef\xbf\xbdz\"");
	expect_escaped(span_str("\xed\xa0\x80"),
		       "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	expect_escaped(span_str("cut \xe2\x82"), "\"cut \xef\xbf\xbd\"");
}

Test(json, what_was_escaped_reads_back_the_same)
{
	for (int c = 0; c < 0x80; c++) {
		char in[] = {'a', (char)c, 'b'};
		struct evbuffer *buffer = evbuffer_new();
		struct json_value v;
		struct span raw, out;
		uint8_t room[16];

		json_escape(span_of(in, 3), buffer);
		raw = span_of(evbuffer_pullup(buffer, -1), evbuffer_get_length(buffer));
		cr_assert(eq(int, json_find(raw, &(struct json_path){NULL, 0}, &v), OK));
		cr_assert(eq(int, json_unescape(v.raw, room, sizeof room, &out), OK));
		cr_assert(span_eq(out, span_of(in, 3)), "byte %d", c);
		evbuffer_free(buffer);
	}
}
