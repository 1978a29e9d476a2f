/* A frame's header: what is accepted is exactly what we would write, but for the mask. */
#include "base/utf8.h"
#include "ws/frame.h"
#include "ws/close_code.h"

#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_header(struct span in, const struct frame *f)
{
	uint8_t head[FRAME_HEAD_MOST];
	size_t n = frame_head(head, f->op, f->fin, f->payload);

	head[1] |= 0x80;
	check(f->header == n + 4 && f->header <= in.n);
	check(memcmp(head, in.p, n) == 0 && memcmp(f->mask, in.p + n, 4) == 0);
	for (size_t cut = 0; cut < f->header; cut++) {
		struct frame part;

		check(frame_parse(span_of(in.p, cut), &part) == ERR_AGAIN);
	}
}

static void check_unmask(struct span in, const uint8_t mask[4], uint64_t offset)
{
	uint8_t *out = malloc(in.n + 1);

	frame_unmask(out, in.p, in.n, mask, offset);
	for (size_t i = 0; i < in.n; i++)
		check(out[i] == (in.p[i] ^ mask[(offset + i) % 4]));
	free(out);
}

static void check_close(struct span reason, uint16_t code)
{
	if (!close_code_is_allowed(code))
		return;

	struct blob *b = frame_close(code, reason);

	check(b->n <= 2 + FRAME_CONTROL_MOST);
	if (utf8_check(reason))
		check(utf8_check(span_of(b->p + 4, b->n - 4)));
	blob_unref(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n);
	struct frame f = {0};
	enum err e = frame_parse(in, &f);

	check(e == OK || e == ERR_AGAIN || (e == ERR_MALFORMED && f.why));
	if (e != OK)
		return 0;
	check_header(in, &f);

	struct span rest = span_of(p + f.header, n - f.header);

	check_unmask(rest, f.mask, f.payload);
	check_close(rest, (uint16_t)f.payload);
	return 0;
}
