#include "ws/frame.h"

#include "ws/close_code.h"

#include <assert.h>

static bool op_is_known(unsigned op)
{
	return op <= FRAME_BINARY || (op >= FRAME_CLOSE && op <= FRAME_PONG);
}

static uint64_t read_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

/* What is wrong with the first byte, and the second when it is there; NULL when nothing is. */
static inline const char *first_fault(struct span in, bool masked)
{
	unsigned op = in.p[0] & 0x0f;
	bool control = op & 0x08;

	if (in.p[0] & 0x70)
		return "reserved bits are set, but no extension was agreed on";
	if (!op_is_known(op))
		return "the frame's opcode is reserved";
	if (control && !(in.p[0] & 0x80))
		return "a control frame must not be fragmented";
	if (in.n > 1 && (in.p[1] & 0x80) != (masked ? 0x80 : 0))
		return masked ? "a client must mask its frames"
			      : "a server must not mask its frames";
	if (in.n > 1 && control && (in.p[1] & 0x7f) > FRAME_CONTROL_MOST)
		return "a control frame carries at most 125 bytes";
	return NULL;
}

static const char *length_fault(uint64_t payload, size_t extra)
{
	if ((extra == 2 && payload < 126) || (extra == 8 && payload <= UINT16_MAX))
		return "the frame's length is not in its shortest form";
	if (payload >> 63)
		return "the frame's length is over 2^63 - 1";
	return NULL;
}

static enum err malformed(struct frame *out, const char *why)
{
	out->why = why;
	return ERR_MALFORMED;
}

/* Inline, so that each side has a parser without a question for the other one. */
static inline enum err parse(struct span in, bool masked, struct frame *out)
{
	size_t mask = masked ? 4 : 0;

	if (in.n == 0)
		return ERR_AGAIN;

	const char *fault = first_fault(in, masked);

	if (fault)
		return malformed(out, fault);
	if (in.n < 2)
		return ERR_AGAIN;

	unsigned len7 = in.p[1] & 0x7f;
	size_t extra = len7 == 126 ? 2 : len7 == 127 ? 8 : 0;

	if (in.n < 2 + extra)
		return ERR_AGAIN;

	uint64_t payload = extra ? read_be(in.p + 2, extra) : len7;

	fault = length_fault(payload, extra);
	if (fault)
		return malformed(out, fault);
	if (in.n < 2 + extra + mask)
		return ERR_AGAIN;

	*out = (struct frame){
		.op = in.p[0] & 0x0f,
		.fin = in.p[0] & 0x80,
		.payload = payload,
		.header = 2 + extra + mask,
	};
	if (masked)
		memcpy(out->mask, in.p + 2 + extra, 4);
	return OK;
}

enum err frame_parse(struct span in, struct frame *out)
{
	return parse(in, true, out);
}

enum err frame_parse_server(struct span in, struct frame *out)
{
	return parse(in, false, out);
}

void frame_unmask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t mask[4],
		  uint64_t offset)
{
	uint8_t turned[8]; /* twice the mask, as it stands from offset on */
	uint64_t wide;
	size_t at = 0;

	for (size_t i = 0; i < 8; i++)
		turned[i] = mask[(offset + i) & 3];
	memcpy(&wide, turned, 8);
	for (; n - at >= 8; at += 8) {
		uint64_t v;

		memcpy(&v, from + at, 8);
		v ^= wide;
		memcpy(to + at, &v, 8);
	}
	for (; at < n; at++)
		to[at] = from[at] ^ turned[at & 7];
}

size_t frame_head(uint8_t out[FRAME_HEAD_MOST], unsigned op, bool fin, uint64_t payload)
{
	size_t extra = payload < 126 ? 0 : payload <= UINT16_MAX ? 2 : 8;

	out[0] = (uint8_t)((fin ? 0x80 : 0) | op);
	out[1] = (uint8_t)(extra == 0 ? payload : extra == 2 ? 126 : 127);
	for (size_t i = 0; i < extra; i++)
		out[2 + i] = (uint8_t)(payload >> 8 * (extra - 1 - i));
	return 2 + extra;
}

size_t frame_head_masked(uint8_t out[FRAME_HEADER_MOST], unsigned op, bool fin,
			 uint64_t payload, const uint8_t mask[4])
{
	size_t n = frame_head(out, op, fin, payload);

	out[1] |= 0x80;
	memcpy(out + n, mask, 4);
	return n + 4;
}

uint16_t frame_close_code(struct span payload)
{
	if (payload.n < 2)
		return FRAME_CODE_NONE;
	return (uint16_t)(payload.p[0] << 8 | payload.p[1]);
}

struct blob *frame_blob(unsigned op, struct span payload)
{
	uint8_t head[FRAME_HEAD_MOST];
	size_t n = frame_head(head, op, true, payload.n);
	struct blob *b = blob_alloc(n + payload.n);

	memcpy(b->p, head, n);
	if (payload.n > 0)
		memcpy(b->p + n, payload.p, payload.n);
	return b;
}

/* At most `most` bytes of text, without a part of a character at the end. */
static size_t cut(struct span text, size_t most)
{
	size_t n = text.n;

	if (n > most)
		for (n = most; n > 0 && (text.p[n] & 0xc0) == 0x80; n--)
			;
	return n;
}

struct blob *frame_close(uint16_t code, struct span reason)
{
	uint8_t body[FRAME_CONTROL_MOST];
	size_t n = cut(reason, sizeof body - 2);

	if (code == FRAME_CODE_NONE)
		return frame_blob(FRAME_CLOSE, span_of(NULL, 0));
	assert(close_code_is_allowed(code));
	body[0] = (uint8_t)(code >> 8);
	body[1] = (uint8_t)code;
	if (n > 0)
		memcpy(body + 2, reason.p, n);
	return frame_blob(FRAME_CLOSE, span_of(body, 2 + n));
}
