#include "base/crc32.h"

enum { SLICES = 8, POLYNOMIAL_BITS = 8 };

/* Eight bytes at a time: table k is for a byte with k bytes behind it (Intel, "slicing-by-8", 2006). */
static uint32_t tables[SLICES][256];

static void fill_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < POLYNOMIAL_BITS; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		tables[0][i] = c;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < SLICES; k++)
			tables[k][i] = tables[k - 1][i] >> 8 ^
				       tables[0][tables[k - 1][i] & 0xff];
}

static uint32_t read_le(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint32_t crc32_of(struct span bytes)
{
	uint32_t c = 0xffffffff;
	const uint8_t *p = bytes.p, *end = bytes.p + bytes.n;

	if (tables[0][1] == 0)
		fill_tables();
	for (; end - p >= SLICES; p += SLICES) {
		uint32_t low = read_le(p) ^ c, high = read_le(p + 4);

		c = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^
		    tables[5][low >> 16 & 0xff] ^ tables[4][low >> 24] ^
		    tables[3][high & 0xff] ^ tables[2][high >> 8 & 0xff] ^
		    tables[1][high >> 16 & 0xff] ^ tables[0][high >> 24];
	}
	for (; p < end; p++)
		c = tables[0][(c ^ *p) & 0xff] ^ c >> 8;
	return ~c;
}
