#include "base/base64.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_length(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* One to three bytes to four characters. */
static void encode_group(const uint8_t *in, size_t n, char *out)
{
	uint32_t bits = (uint32_t)in[0] << 16;

	if (n > 1)
		bits |= (uint32_t)in[1] << 8;
	if (n > 2)
		bits |= in[2];
	for (size_t i = 0; i < 4; i++)
		out[i] = i > n ? '=' : alphabet[bits >> (18 - 6 * i) & 63];
}

size_t base64_encode(struct span in, char *out)
{
	for (size_t at = 0; at < in.n; at += 3, out += 4)
		encode_group(in.p + at, in.n - at < 3 ? in.n - at : 3, out);
	return base64_length(in.n);
}

static uint32_t digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint32_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint32_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0' + 52);
	return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Four characters, the last ones of which may be padding, to n bytes. False when they are none. */
static bool decode_group(const uint8_t *in, size_t n, uint8_t *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		uint32_t d = i <= n ? digit(in[i]) : 0;

		if (d > 63)
			return false;
		bits = bits << 6 | d;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return (bits & (0xffffffu >> (8 * n))) == 0;
}

enum err base64_decode(struct span in, uint8_t *out, size_t *n)
{
	size_t padding = 0;

	*n = 0;
	if (in.n % 4 != 0)
		return ERR_MALFORMED;
	while (padding < 2 && padding < in.n && in.p[in.n - 1 - padding] == '=')
		padding++;
	for (size_t at = 0; at < in.n; at += 4) {
		size_t bytes = at + 4 == in.n ? 3 - padding : 3;

		if (!decode_group(in.p + at, bytes, out + *n))
			return ERR_MALFORMED;
		*n += bytes;
	}
	return OK;
}
