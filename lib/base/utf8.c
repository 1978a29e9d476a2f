#include "base/utf8.h"

/*
 * A state defines what the next byte must be. 0: the beginning of a character.
 * Otherwise three bytes: how many bytes the character still lacks, and the least
 * and the greatest value of the next one. Only the second byte of a character has a
 * narrower range than 80..BF, and that range alone keeps out overlong forms,
 * surrogates and what is over U+10FFFF (RFC 3629 section 4).
 */
static uint32_t expect(uint32_t lacking, uint32_t least, uint32_t most)
{
	return lacking | least << 8 | most << 16;
}

/* The state after a first byte; ~0 when no character begins with it. */
static uint32_t after_first(uint8_t c)
{
	if (c < 0x80)
		return 0;
	if (c < 0xc2 || c > 0xf4)
		return ~UINT32_C(0);
	if (c < 0xe0)
		return expect(1, 0x80, 0xbf);
	if (c < 0xf0)
		return expect(2, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf);
	return expect(3, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf);
}

/* The state after one more byte; ~0 when it cannot stand here. */
static uint32_t after(uint32_t state, uint8_t c)
{
	if (state == 0)
		return after_first(c);
	if (c < (state >> 8 & 0xff) || c > (state >> 16 & 0xff))
		return ~UINT32_C(0);
	return (state & 0xff) == 1 ? 0 : expect((state & 0xff) - 1, 0x80, 0xbf);
}

static uint64_t high_bits(const uint8_t p[8])
{
	uint64_t bytes;

	memcpy(&bytes, p, 8);
	return bytes & UINT64_C(0x8080808080808080);
}

/* How many of the first bytes are ASCII for sure: groups of 16 and 8, and what is left if all of it is. */
static size_t ascii_run(struct span in)
{
	size_t at = 0;

	while (in.n - at >= 16 && (high_bits(in.p + at) | high_bits(in.p + at + 8)) == 0)
		at += 16;
	if (in.n - at >= 8 && high_bits(in.p + at) == 0)
		at += 8;
	if (in.n - at < 8 && in.n >= 8 && high_bits(in.p + in.n - 8) == 0)
		at = in.n;
	return at;
}

/*
 * The length of a good character of several bytes; 0 when it is bad, or is not there as
 * a whole. It is equivalent to after(), but takes a character at a time, which is three times as fast.
 */
static size_t whole_character(struct span in)
{
	const uint8_t *p = in.p;
	uint32_t next = after_first(p[0]);
	uint32_t lacking = next & 0xff;

	if (next == ~UINT32_C(0) || in.n <= lacking)
		return 0;
	if (p[1] < (next >> 8 & 0xff) || p[1] > next >> 16)
		return 0;
	if (lacking > 1 && (p[2] & 0xc0) != 0x80)
		return 0;
	if (lacking > 2 && (p[3] & 0xc0) != 0x80)
		return 0;
	return 1 + lacking;
}

/* How many bytes of whole, good characters in begins with; what follows needs a closer look. */
static size_t skip_whole(struct span in)
{
	size_t at = 0;

	while (at < in.n) {
		size_t n = 1;

		if (in.p[at] >= 0x80)
			n = whole_character(span_of(in.p + at, in.n - at));
		else if (in.n - at > 8)
			n += ascii_run(span_of(in.p + at + 1, in.n - at - 1));
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

bool utf8_feed(uint32_t *state, struct span in)
{
	uint32_t s = *state;
	size_t at = 0;

	while (at < in.n) {
		if (s == 0)
			at += skip_whole(span_of(in.p + at, in.n - at));
		if (at == in.n)
			break;
		s = after(s, in.p[at++]);
		if (s == ~UINT32_C(0))
			return false;
	}
	*state = s;
	return true;
}

bool utf8_is_whole(uint32_t state)
{
	return state == 0;
}

bool utf8_check(struct span in)
{
	uint32_t state = 0;

	return utf8_feed(&state, in) && utf8_is_whole(state);
}

size_t utf8_first(struct span in)
{
	uint32_t state = 0;

	for (size_t n = 0; n < in.n; n++) {
		state = after(state, in.p[n]);
		if (state == 0)
			return n + 1;
		if (state == ~UINT32_C(0))
			break;
	}
	return 0;
}

size_t utf8_good(struct span in)
{
	return skip_whole(in);
}

size_t utf8_bad(struct span in)
{
	uint32_t state = 0;
	size_t n = 0;

	while (n < in.n && (state = after(state, in.p[n])) != ~UINT32_C(0))
		n++;
	return n > 0 ? n : 1;
}

size_t utf8_repair(struct span in, uint8_t *out)
{
	static const uint8_t replacement[] = {0xef, 0xbf, 0xbd}; /* U+FFFD */
	size_t n = 0;

	while (in.n > 0) {
		size_t good = utf8_good(in);

		if (out != NULL)
			memcpy(out + n, in.p, good);
		n += good;
		in = span_of(in.p + good, in.n - good);
		if (in.n == 0)
			break;
		if (out != NULL)
			memcpy(out + n, replacement, sizeof replacement);
		n += sizeof replacement;
		good = utf8_bad(in);
		in = span_of(in.p + good, in.n - good);
	}
	return n;
}
