#include "ws/frame.h"

#include "base/utf8.h"
#include "ws/close_code.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>

/* "8185 37fa" into bytes; blanks are passed over. */
static size_t hex(const char *text, uint8_t *out)
{
	size_t n = 0;
	int used;
	unsigned byte;

	while (sscanf(text, " %2x%n", &byte, &used) == 1) {
		out[n++] = (uint8_t)byte;
		text += used;
	}
	return n;
}

struct row {
	char why[48]; /* shown when the row fails */
	char in[48];
	enum err want;
	uint64_t payload;
};

ParameterizedTestParameters(frame, parse)
{
	static struct row rows[] = {
		{"a masked hello, RFC 6455 5.7", "8185 37fa213d 7f9f4d5158", OK, 5},
		{"an empty text", "8180 01020304", OK, 0},
		{"a fragment's beginning", "0183 01020304", OK, 3},
		{"a continuation", "0083 01020304", OK, 3},
		{"a masked pong, RFC 6455 5.7", "8a85 37fa213d", OK, 5},
		{"a close of 125 bytes", "88fd 01020304", OK, 125},
		{"256 bytes, 16-bit length", "82fe 0100 01020304", OK, 256},
		{"126 bytes, 16-bit length", "82fe 007e 01020304", OK, 126},
		{"65536 bytes, 64-bit length", "82ff 0000000000010000 01020304", OK,
		 65536},
		{"2^63 - 1 bytes", "82ff 7fffffffffffffff 01020304", OK, INT64_MAX},
		{"nothing yet", "", ERR_AGAIN, 0},
		{"the mask key is cut short", "8185 37", ERR_AGAIN, 0},
		{"a client must mask", "8105", ERR_MALFORMED, 0},
		{"RSV1 without an extension", "c1", ERR_MALFORMED, 0},
		{"RSV2", "a1", ERR_MALFORMED, 0},
		{"RSV3", "91", ERR_MALFORMED, 0},
		{"a ping of 126 bytes", "89fe", ERR_MALFORMED, 0},
		{"a ping with a 64-bit length", "89ff", ERR_MALFORMED, 0},
		{"a fragmented ping", "09", ERR_MALFORMED, 0},
		{"125 bytes, 16-bit length", "82fe 007d", ERR_MALFORMED, 0},
		{"65535 bytes, 64-bit length", "82ff 000000000000ffff", ERR_MALFORMED, 0},
		{"2^63 bytes", "82ff 8000000000000000", ERR_MALFORMED, 0},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, frame, parse)
{
	uint8_t in[32];
	struct frame f = {0};
	enum err got = frame_parse(span_of(in, hex(r->in, in)), &f);

	cr_assert(eq(int, got, r->want), "%s", r->why);
	cr_assert(eq(u64, f.payload, r->payload), "%s", r->why);
	cr_assert(eq(int, f.why != NULL, r->want == ERR_MALFORMED), "%s", r->why);
}

Test(frame, every_opcode_is_known_or_reserved)
{
	for (unsigned op = 0; op < 16; op++) {
		uint8_t in[] = {(uint8_t)(0x80 | op), 0x80, 1, 2, 3, 4};
		struct frame f;
		bool known = op <= 2 || (op >= 8 && op <= 10);

		cr_assert(eq(int, frame_parse(span_of(in, sizeof in), &f),
			     known ? OK : ERR_MALFORMED),
			  "opcode %u", op);
	}
}

Test(frame, every_prefix_of_a_header_asks_for_more)
{
	static const char *const headers[] = {"8185 01020304", "82fe 0100 01020304",
					      "82ff 0000000100000000 01020304"};

	for (size_t i = 0; i < 3; i++) {
		uint8_t in[FRAME_HEADER_MOST];
		size_t n = hex(headers[i], in);
		struct frame f;

		for (size_t part = 0; part < n; part++)
			cr_assert(eq(int, frame_parse(span_of(in, part), &f), ERR_AGAIN));
		cr_assert(eq(int, frame_parse(span_of(in, n), &f), OK));
		cr_assert(eq(sz, f.header, n));
		cr_assert(eq(int, memcmp(f.mask, "\1\2\3\4", 4), 0));
	}
}

Test(frame, a_server_s_frame_is_read_without_a_mask_and_refused_with_one)
{
	static const char *const headers[] = {"8105", "827e 0100",
					      "827f 0000000100000000"};
	uint8_t in[FRAME_HEADER_MOST];
	struct frame f;

	for (size_t i = 0; i < 3; i++) {
		size_t n = hex(headers[i], in);

		for (size_t part = 0; part < n; part++)
			cr_assert(eq(int, frame_parse_server(span_of(in, part), &f),
				     ERR_AGAIN));
		cr_assert(eq(int, frame_parse_server(span_of(in, n), &f), OK));
		cr_assert(eq(sz, f.header, n));
	}
	cr_assert(eq(int, frame_parse_server(span_of(in, hex("8185", in)), &f),
		     ERR_MALFORMED));
	cr_assert(eq(str, (char *)f.why, "a server must not mask its frames"));
}

Test(frame, a_client_s_hello_is_the_one_of_rfc_6455_5_7)
{
	static const uint8_t mask[] = {0x37, 0xfa, 0x21, 0x3d};
	uint8_t want[32], out[FRAME_HEADER_MOST + 5];
	size_t n = frame_head_masked(out, FRAME_TEXT, true, 5, mask);

	frame_unmask(out + n, (const uint8_t *)"Hello", 5, mask, 0);
	cr_assert(span_eq(span_of(out, n + 5),
			  span_of(want, hex("8185 37fa213d 7f9f4d5158", want))));
}

Test(frame, a_client_s_header_reads_back_at_every_form_of_the_length)
{
	static const uint64_t lengths[] = {0, 1, 125, 126, 65535, 65536, INT64_MAX};

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		uint8_t out[FRAME_HEADER_MOST];
		size_t n = frame_head_masked(out, FRAME_BINARY, false, lengths[i],
					     (const uint8_t *)"\1\2\3\4");
		struct frame f;

		cr_assert(eq(int, frame_parse(span_of(out, n), &f), OK));
		cr_assert(eq(u64, f.payload, lengths[i]));
		cr_assert(eq(sz, f.header, n));
		cr_assert(eq(int, memcmp(f.mask, "\1\2\3\4", 4), 0));
		cr_assert(not(f.fin));
	}
}

Test(frame, a_close_frame_without_a_code_counts_as_1005)
{
	cr_assert(eq(uint, frame_close_code(span_of("", 0)), 1005));
	cr_assert(eq(uint, frame_close_code(span_of("\x03\xe8", 2)), 1000));
}

Test(frame, unmasking_is_xor_at_every_length_offset_and_alignment)
{
	static const uint8_t mask[4] = {0xde, 0xad, 0xbe, 0xef};
	uint8_t from[64], to[64];

	for (size_t i = 0; i < sizeof from; i++)
		from[i] = (uint8_t)(i * 7);
	for (size_t start = 0; start < 8; start++)
		for (size_t n = 0; n <= sizeof from - start; n++)
			for (uint64_t offset = 0; offset < 5; offset++) {
				memset(to, 0, sizeof to);
				frame_unmask(to, from + start, n, mask, offset);
				for (size_t i = 0; i < n; i++)
					cr_assert(eq(u8, to[i],
						     from[start + i] ^
							     mask[(offset + i) % 4]));
				cr_assert(n == sizeof to || to[n] == 0);
			}
}

Test(frame, unmasking_in_place_twice_gives_the_bytes_back)
{
	static const uint8_t mask[4] = {1, 2, 3, 4};
	uint8_t text[] = "as long as it takes to have some groups of eight";
	uint8_t copy[sizeof text];

	memcpy(copy, text, sizeof text);
	frame_unmask(text, text, sizeof text, mask, 3);
	cr_assert(ne(int, memcmp(text, copy, sizeof text), 0));
	frame_unmask(text, text, sizeof text, mask, 3);
	cr_assert(eq(int, memcmp(text, copy, sizeof text), 0));
}

Test(frame, a_server_head_has_the_shortest_length_and_no_mask)
{
	static const struct {
		uint64_t payload;
		const char *want;
	} rows[] = {
		{0, "8100"},
		{125, "817d"},
		{126, "817e007e"},
		{65535, "817effff"},
		{65536, "817f0000000000010000"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t want[FRAME_HEAD_MOST], got[FRAME_HEAD_MOST];
		size_t n = hex(rows[i].want, want);

		cr_assert(eq(sz, frame_head(got, FRAME_TEXT, true, rows[i].payload), n));
		cr_assert(eq(int, memcmp(got, want, n), 0), "%s", rows[i].want);
	}
}

Test(frame, a_head_without_fin_says_so)
{
	uint8_t head[FRAME_HEAD_MOST];

	frame_head(head, FRAME_BINARY, false, 1);
	cr_assert(eq(u8, head[0], 0x02));
}

Test(frame, a_blob_is_the_unmasked_hello_of_rfc_6455_5_7)
{
	struct blob *b = frame_blob(FRAME_TEXT, span_str("Hello"));

	cr_assert(span_eq(blob_span(b), span_of("\x81\x05Hello", 7)));
	blob_unref(b);
}

Test(frame, a_close_frame_has_the_code_and_the_reason)
{
	struct blob *b = frame_close(1001, span_str("bye"));

	cr_assert(span_eq(blob_span(b), span_of("\x88\x05\x03\xe9"
						"bye",
						7)));
	blob_unref(b);
}

Test(frame, a_close_frame_without_a_code_is_empty)
{
	struct blob *b = frame_close(FRAME_CODE_NONE, span_str("not said"));

	cr_assert(span_eq(blob_span(b), span_of("\x88\x00", 2)));
	blob_unref(b);
}

Test(frame, a_long_reason_is_cut_at_the_beginning_of_a_character)
{
	for (size_t letters = 115; letters < 130; letters++) {
		char reason[160];
		int n = snprintf(reason, sizeof reason, "%.*s€€€€", (int)letters,
				 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				 "aaaaaaaaaa"
				 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				 "aaaaaaaaaa");
		struct blob *b = frame_close(1000, span_of(reason, (size_t)n));

		cr_assert(le(sz, b->n, 2 + FRAME_CONTROL_MOST));
		cr_assert(ge(sz, b->n, 2 + FRAME_CONTROL_MOST - 2));
		cr_assert(utf8_check(span_of(b->p + 4, b->n - 4)));
		blob_unref(b);
	}
}

Test(frame, the_codes_that_may_be_sent_are_those_of_rfc_6455_7_4)
{
	size_t n = 0;

	for (uint32_t code = 0; code <= UINT16_MAX; code++)
		n += close_code_is_allowed((uint16_t)code);
	cr_assert(eq(sz, n, 4 + 8 + 2000));
	cr_assert(close_code_is_allowed(1003) && close_code_is_allowed(1007));
	cr_assert(close_code_is_allowed(1014) && close_code_is_allowed(3000));
	cr_assert(not(close_code_is_allowed(1004) || close_code_is_allowed(1005)));
	cr_assert(not(close_code_is_allowed(1006) || close_code_is_allowed(1015)));
	cr_assert(not(close_code_is_allowed(999) || close_code_is_allowed(5000)));
}
