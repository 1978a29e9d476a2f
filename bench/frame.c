#include "bench/frame.h"

static size_t put_length(uint8_t *out, size_t n)
{
	if (n < 126) {
		out[0] = (uint8_t)(0x80 | n);
		return 1;
	}

	size_t bytes = n <= UINT16_MAX ? 2 : 8;
	out[0] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
	for (size_t i = 0; i < bytes; i++)
		out[1 + i] = (uint8_t)(n >> 8 * (bytes - 1 - i));
	return 1 + bytes;
}

static void mask_into(uint8_t *out, struct span body, uint32_t mask)
{
	uint64_t wide = (uint64_t)mask << 32 | mask;
	uint64_t word;
	size_t i = 0;

	for (; i + 8 <= body.n; i += 8) {
		memcpy(&word, body.p + i, 8);
		word ^= wide;
		memcpy(out + i, &word, 8);
	}
	for (; i < body.n; i++)
		out[i] = body.p[i] ^ ((const uint8_t *)&mask)[i & 3];
}

size_t frame_write(uint8_t *out, enum frame_op op, struct span body, uint32_t mask)
{
	out[0] = (uint8_t)(0x80 | op);
	size_t n = 1 + put_length(out + 1, body.n);

	memcpy(out + n, &mask, 4);
	n += 4;
	mask_into(out + n, body, mask);
	return n + body.n;
}

enum err frame_read(struct span in, struct frame_in *out)
{
	if (in.n < 2)
		return ERR_AGAIN;
	if (in.p[0] & 0x70 || in.p[1] & 0x80)
		return ERR_MALFORMED;

	size_t len7 = in.p[1] & 0x7f;
	size_t extra = len7 == 126 ? 2 : len7 == 127 ? 8 : 0;
	uint64_t n = extra ? 0 : len7;

	if (in.n < 2 + extra)
		return ERR_AGAIN;
	for (size_t i = 0; i < extra; i++)
		n = n << 8 | in.p[2 + i];
	if (n > in.n || 2 + extra + n > in.n)
		return ERR_AGAIN;
	*out = (struct frame_in){
		.op = in.p[0] & 0x0f,
		.fin = in.p[0] & 0x80,
		.body = span_of(in.p + 2 + extra, n),
		.whole = 2 + extra + n,
	};
	return OK;
}

unsigned frame_close_code(struct span body)
{
	return body.n < 2 ? 1005 : (unsigned)(body.p[0] << 8 | body.p[1]);
}
