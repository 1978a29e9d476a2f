#include "proto/id.h"

#include <xxhash.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 88 bits are fourteen characters and two thirds of one. */
enum { CHARS = 15, SPARE_BITS = 2 };

struct id id_make(uint16_t edge, uint32_t slot, uint64_t random)
{
	struct id id;

	for (int i = 0; i < 2; i++)
		id.b[i] = (uint8_t)(edge >> (8 - 8 * i));
	for (int i = 0; i < 4; i++)
		id.b[2 + i] = (uint8_t)(slot >> (24 - 8 * i));
	for (int i = 0; i < 5; i++)
		id.b[6 + i] = (uint8_t)(random >> (32 - 8 * i));
	return id;
}

uint16_t id_edge(const struct id *id)
{
	return (uint16_t)(id->b[0] << 8 | id->b[1]);
}

uint32_t id_slot(const struct id *id)
{
	return (uint32_t)id->b[2] << 24 | (uint32_t)id->b[3] << 16 |
	       (uint32_t)id->b[4] << 8 | id->b[5];
}

bool id_eq(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, ID_BYTES) == 0;
}

struct span id_span(const struct id *id)
{
	return span_of(id->b, ID_BYTES);
}

enum err id_from(struct span bytes, struct id *out)
{
	if (bytes.n != ID_BYTES)
		return ERR_MALFORMED;
	memcpy(out->b, bytes.p, ID_BYTES);
	return OK;
}

const char *id_text(const struct id *id, char out[ID_TEXT])
{
	uint32_t bits = 0;
	int have = 0, n = 0;

	for (int i = 0; i < ID_BYTES; i++) {
		bits = bits << 8 | id->b[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = alphabet[bits >> (have - 6) & 63];
	}
	out[n++] = alphabet[bits << SPARE_BITS & 63];
	out[n++] = '=';
	out[n] = '\0';
	return out;
}

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum err id_parse(struct span text, struct id *out)
{
	uint32_t bits = 0;
	int have = 0, n = 0;

	if (text.n != ID_TEXT - 1 || text.p[CHARS] != '=')
		return ERR_MALFORMED;
	for (int i = 0; i < CHARS; i++) {
		int d = digit(text.p[i]);

		if (d < 0)
			return ERR_MALFORMED;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out->b[n++] = (uint8_t)(bits >> have);
		}
	}
	return bits & ((1u << SPARE_BITS) - 1) ? ERR_MALFORMED : OK;
}

const char *id_request(const struct id *id, uint64_t seq, char out[ID_TEXT])
{
	uint8_t in[ID_BYTES + 8];
	XXH128_hash_t h;
	struct id r;

	memcpy(in, id->b, ID_BYTES);
	for (int i = 0; i < 8; i++)
		in[ID_BYTES + i] = (uint8_t)(seq >> (56 - 8 * i));
	h = XXH3_128bits(in, sizeof in);
	r = id_make((uint16_t)h.high64, (uint32_t)(h.high64 >> 16), h.low64);
	return id_text(&r, out);
}

uint64_t id_hash(const struct id *id)
{
	return XXH3_64bits(id->b, ID_BYTES);
}
