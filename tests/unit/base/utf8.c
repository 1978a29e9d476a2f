#include "base/utf8.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

/* What the definition says of a code point, and nothing of how base/utf8.c reads it (RFC 3629 3). */
static size_t encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

Test(utf8, every_code_point_but_surrogates_is_good)
{
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		uint8_t b[4];
		size_t n = encode(c, b);
		bool surrogate = c >= 0xd800 && c <= 0xdfff;

		cr_assert(eq(int, utf8_check(span_of(b, n)), !surrogate), "U+%04X", c);
		cr_assert(eq(sz, utf8_first(span_of(b, n)), surrogate ? 0 : n), "U+%04X",
			  c);
	}
}

/* All four-byte texts would be 2^32; of a third and fourth byte only the limits matter. */
Test(utf8, the_good_texts_of_up_to_three_bytes_are_as_many_as_the_characters_allow)
{
	const uint64_t one = 128, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800;
	const uint64_t want[] = {1, one, one * one + two,
				 one * one * one + 2 * one * two + three};

	for (size_t n = 1; n <= 3; n++) {
		uint64_t good = 0;

		for (uint32_t v = 0; v < UINT32_C(1) << 8 * n; v++) {
			uint8_t b[3] = {(uint8_t)v, (uint8_t)(v >> 8),
					(uint8_t)(v >> 16)};

			good += utf8_check(span_of(b, n));
		}
		cr_assert(eq(u64, good, want[n]));
	}
}

struct row {
	char why[48];
	char in[8];
	size_t n;
	size_t bad_at; /* the first byte after which nothing can help; n: none */
};

ParameterizedTestParameters(utf8, fails_at_once)
{
	static struct row rows[] = {
		{"a continuation byte begins", "\x80", 1, 0},
		{"an overlong slash", "\xc0\xaf", 2, 0},
		{"an overlong form of three bytes", "\xe0\x9f\xbf", 3, 1},
		{"an overlong form of four bytes", "\xf0\x8f\xbf\xbf", 4, 1},
		{"a surrogate", "\xed\xa0\x80", 3, 1},
		{"over U+10FFFF", "\xf4\x90\x80\x80", 4, 1},
		{"a lead byte of five", "\xf8\x88\x80\x80", 4, 0},
		{"0xff", "a\xff", 2, 1},
		{"a character is cut by a letter", "\xe2\x82y", 3, 2},
		{"U+10FFFF", "\xf4\x8f\xbf\xbf", 4, 4},
		{"U+D7FF", "\xed\x9f\xbf", 3, 3},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, utf8, fails_at_once)
{
	uint32_t state = 0;
	size_t at = 0;

	while (at < r->n && utf8_feed(&state, span_of(r->in + at, 1)))
		at++;
	cr_assert(eq(sz, at, r->bad_at), "%s", r->why);
}

Test(utf8, a_cut_anywhere_changes_nothing_and_is_not_whole_inside_a_character)
{
	static const char text[] =
		"0123456789abcdef0123456789abcdefκόσμε€𐍈 and sixteen more letters";
	const size_t n = sizeof text - 1;

	for (size_t cut = 0; cut <= n; cut++) {
		uint32_t state = 0;
		bool inside = cut < n && ((uint8_t)text[cut] & 0xc0) == 0x80;

		cr_assert(utf8_feed(&state, span_of(text, cut)));
		cr_assert(eq(int, utf8_is_whole(state), !inside));
		cr_assert(utf8_feed(&state, span_of(text + cut, n - cut)));
		cr_assert(utf8_is_whole(state));
	}
}

/* Whole characters are read another way than pieces; every four of these limits must come to the same. */
Test(utf8, a_text_at_once_is_judged_as_byte_by_byte)
{
	static const uint8_t limit[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
					0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xec,
					0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff};
	const size_t n = sizeof limit;

	for (size_t i = 0; i < n * n * n * n; i++) {
		uint8_t b[] = {limit[i % n], limit[i / n % n], limit[i / n / n % n],
			       limit[i / n / n / n]};
		uint32_t state = 0, at_once = 0;
		bool good = true;

		for (size_t at = 0; good && at < sizeof b; at++)
			good = utf8_feed(&state, span_of(b + at, 1));
		cr_assert(eq(int, utf8_feed(&at_once, span_of(b, sizeof b)), good),
			  "row %zu", i);
		cr_assert(not(good && state != at_once), "row %zu", i);
	}
}

Test(utf8, a_bad_byte_is_found_at_each_place_of_a_long_ascii_text)
{
	uint8_t text[100];

	for (size_t at = 0; at < sizeof text; at++) {
		memset(text, 'a', sizeof text);
		text[at] = 0xbf;
		cr_assert(not(utf8_check(span_of(text, sizeof text))), "at %zu", at);
	}
}

Test(utf8, nothing_is_a_whole_text)
{
	cr_assert(utf8_check(span_of(NULL, 0)));
	cr_assert(eq(sz, utf8_first(span_of("", 0)), 0));
}

/* Unicode 3.9, table 3-8 and its neighbours: one U+FFFD for each maximal subpart. */
Test(utf8, each_maximal_subpart_becomes_one_replacement_character)
{
#define R "\xef\xbf\xbd"
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"", ""},
		{"plain é€😀", "plain é€😀"},
		{"a\xff"
		 "b",
		 "a" R "b"},
		{"\x61\xf1\x80\x80\xe1\x80\xc2\x62\x80\x63\x80\xbf\x64",
		 "a" R R R "b" R "c" R R "d"},
		{"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", R R R R R R R R "A"},
		{"\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", R R R R R R R R "A"},
		{"\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", R R R R R "A" R R "B"},
		{"\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", R R R R "A"},
		{"cut \xf0\x9f\x98", "cut " R},
		{"a long piece of ASCII, and then \xe2\x82",
		 "a long piece of ASCII, and then " R},
	};
#undef R

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span in = span_str(rows[i].in);
		uint8_t out[100];
		size_t n = utf8_repair(in, NULL);

		cr_assert(le(sz, n, sizeof out));
		cr_assert(eq(sz, utf8_repair(in, out), n));
		cr_assert(span_is(span_of(out, n), rows[i].want), "row %zu", i);
	}
}
