#include "bench/frame.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(frame, a_written_hello_is_the_one_of_rfc_6455_5_7)
{
	static const uint8_t want[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
				       0x7f, 0x9f, 0x4d, 0x51, 0x58};
	static const uint8_t mask[] = {0x37, 0xfa, 0x21, 0x3d};
	uint8_t out[FRAME_HEADER + 5];
	uint32_t word;

	memcpy(&word, mask, 4);
	size_t n = frame_write(out, FRAME_TEXT, span_str("Hello"), word);

	cr_assert(span_eq(span_of(out, n), span_of(want, sizeof want)));
}

/* Each length around the borders of the three forms, as a server would send it back. */
Test(frame, what_is_written_without_a_mask_reads_back_at_every_form_of_the_length)
{
	static const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
	static uint8_t body[65536], out[FRAME_HEADER + 65536];

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct frame_in f;
		size_t n = frame_write(out, FRAME_TEXT, span_of(body, lengths[i]), 0);
		size_t header = n - lengths[i] - 4;

		out[1] &= 0x7f; /* a mask of zeros: leave it out */
		memmove(out + header, out + header + 4, lengths[i]);
		for (size_t part = 0; part < n - 4; part += part < 20 ? 1 : 997)
			cr_assert(eq(int, frame_read(span_of(out, part), &f), ERR_AGAIN));
		cr_assert(eq(int, frame_read(span_of(out, n - 4), &f), OK));
		cr_assert(eq(sz, f.body.n, lengths[i]));
		cr_assert(eq(sz, f.whole, n - 4));
	}
}

Test(frame, a_masked_frame_of_a_server_is_malformed)
{
	struct frame_in f;

	cr_assert(eq(int, frame_read(span_of("\x81\x80", 2), &f), ERR_MALFORMED));
}

Test(frame, a_close_frame_without_a_code_counts_as_1005)
{
	cr_assert(eq(uint, frame_close_code(span_of("", 0)), 1005));
	cr_assert(eq(uint, frame_close_code(span_of("\x03\xe8", 2)), 1000));
}
