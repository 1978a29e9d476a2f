#include "proto/id.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct golden {
	uint16_t edge;
	uint32_t slot;
	uint64_t random;
	char text[ID_TEXT];
};

/* Computed with Python's base64. */
ParameterizedTestParameters(id, text)
{
	static struct golden rows[] = {
		{0x1, 0x2, 0x123456789, "AAEAAAACASNFZ4k="},
		{0x0, 0x0, 0x0, "AAAAAAAAAAAAAAA="},
		{0xffff, 0xffffffff, 0xffffffffff, "______________8="},
		{0x8000, 0x80000000, 0x8000000000, "gACAAAAAgAAAAAA="},
		{0x1, 0x0, 0x1, "AAEAAAAAAAAAAAE="},
		{0x102, 0x3040506, 0x708090a0b, "AQIDBAUGBwgJCgs="},
		{0xfbef, 0xbefbefbe, 0xfbefbefbef, "--------------8="},
	};

	return cr_make_param_array(struct golden, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct golden *r, id, text)
{
	struct id id = id_make(r->edge, r->slot, r->random), back;
	char text[ID_TEXT];

	cr_assert(eq(str, (char *)id_text(&id, text), r->text));
	cr_assert(eq(int, id_parse(span_str(text), &back), OK));
	cr_assert(id_eq(&id, &back));
	cr_assert(eq(u16, id_edge(&back), r->edge));
	cr_assert(eq(u32, id_slot(&back), r->slot));
}

Test(id, every_single_bit_survives_the_way_to_text_and_back)
{
	for (int bit = 0; bit < 8 * ID_BYTES; bit++) {
		struct id id = {0}, back;
		char text[ID_TEXT];

		id.b[bit / 8] = (uint8_t)(0x80 >> bit % 8);
		cr_assert(eq(int, id_parse(span_str(id_text(&id, text)), &back), OK));
		cr_assert(id_eq(&id, &back), "bit %d", bit);
	}
}

Test(id, ids_that_differ_in_one_bit_are_not_equal_and_hash_differently)
{
	struct id a = id_make(1, 2, 3);

	for (int bit = 0; bit < 8 * ID_BYTES; bit++) {
		struct id b = a;

		b.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert(not(id_eq(&a, &b)), "bit %d", bit);
		cr_assert(ne(u64, id_hash(&a), id_hash(&b)), "bit %d", bit);
	}
}

Test(id, more_than_40_random_bits_are_cut)
{
	struct id a = id_make(1, 2, 0x5500000000000003), b = id_make(1, 2, 3);

	cr_assert(id_eq(&a, &b));
}

/* Two texts for one id would let one of them past whoever compares texts. */
Test(id, a_text_with_spare_bits_is_refused)
{
	char text[] = "AAEAAAACASNFZ4k=";
	struct id id;

	for (int i = 0; i < 64; i++) {
		text[14] = alphabet[i];

		enum err want = i % 4 == 0 ? OK : ERR_MALFORMED;

		cr_assert(eq(int, id_parse(span_str(text), &id), want), "%s", text);
	}
}

Test(id, a_character_outside_the_alphabet_is_refused_anywhere)
{
	for (size_t at = 0; at < 15; at++)
		for (int c = 0; c < 256; c++) {
			char text[] = "AAEAAAACASNFZ4k=";
			struct id id;

			text[at] = (char)c;
			if (c != 0 && strchr(alphabet, c) != NULL)
				continue;
			cr_assert(
				eq(int, id_parse(span_of(text, 16), &id), ERR_MALFORMED),
				"%zu %02x", at, c);
		}
}

Test(id, a_text_must_end_with_an_equals_sign)
{
	struct id id;

	for (int c = 0; c < 256; c++) {
		char text[] = "AAEAAAACASNFZ4k?";

		text[15] = (char)c;
		cr_assert(eq(int, id_parse(span_of(text, 16), &id),
			     c == '=' ? OK : ERR_MALFORMED));
	}
}

Test(id, a_text_of_any_other_length_is_refused)
{
	static const char text[] = "AAEAAAACASNFZ4k=AAEAAAACASNFZ4k=";
	struct id id;

	for (size_t n = 0; n < sizeof text; n++)
		cr_assert(eq(int, id_parse(span_of(text, n), &id),
			     n == 16 ? OK : ERR_MALFORMED),
			  "%zu", n);
}

Test(id, bytes_from_the_wire_must_be_eleven)
{
	uint8_t bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	struct id id;

	cr_assert(eq(int, id_from(span_of(bytes, 0), &id), ERR_MALFORMED));
	cr_assert(eq(int, id_from(span_of(bytes, 10), &id), ERR_MALFORMED));
	cr_assert(eq(int, id_from(span_of(bytes, 12), &id), ERR_MALFORMED));
	cr_assert(eq(int, id_from(span_of(bytes, 11), &id), OK));
	cr_assert(span_eq(id_span(&id), span_of(bytes, 11)));
}

static void request_of(uint32_t slot, uint64_t seq, char out[ID_TEXT])
{
	struct id id = id_make(1, slot, 0x0123456789);

	id_request(&id, seq, out);
}

/* An edge and two brokers of different versions must agree on it. */
Test(id, the_request_id_of_an_event_never_changes)
{
	char got[ID_TEXT];

	request_of(2, 0, got);
	cr_assert(eq(str, got, "G5EPwkM1HxWCH2A="));
	request_of(2, 1, got);
	cr_assert(eq(str, got, "Hxc3sAzZT4g2uFo="));
	request_of(2, 0x123456789abcdef0, got);
	cr_assert(eq(str, got, "9eaA5ueVc51xvVY="));
	request_of(2, (uint64_t)ID_SEQ_DISCONNECT, got);
	cr_assert(eq(str, got, "XOKD4N9II6WGQmE="));
}

Test(id, the_request_ids_of_two_events_differ)
{
	char first[ID_TEXT], next[ID_TEXT], other[ID_TEXT];
	struct id id;

	request_of(2, 7, first);
	request_of(2, 8, next);
	request_of(3, 7, other);
	cr_assert(ne(str, first, next));
	cr_assert(ne(str, first, other));
	cr_assert(eq(int, id_parse(span_str(first), &id), OK));
}
