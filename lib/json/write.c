#include "json/write.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>

enum {
	LONGEST_ESCAPE = 6, /* \u001f */
	LONGEST_NUMBER = 20,
};

void json_out_init(struct json_out *o, size_t room)
{
	o->blob = blob_alloc(room);
	o->n = 0;
}

struct blob *json_out_end(struct json_out *o)
{
	struct blob *b = o->blob;

	b->n = o->n;
	o->blob = NULL;
	return b;
}

/* Room for n more bytes; the caller writes them and adds to o->n. */
static uint8_t *room_for(struct json_out *o, size_t n)
{
	if (o->blob->n - o->n < n) {
		size_t room = (o->n + n) * 2;

		o->blob = xrealloc(o->blob, sizeof *o->blob + room);
		o->blob->n = room;
	}
	return o->blob->p + o->n;
}

void json_out_span(struct json_out *o, struct span raw)
{
	uint8_t *to = room_for(o, raw.n);

	if (raw.n > 0)
		memcpy(to, raw.p, raw.n);
	o->n += raw.n;
}

void json_out_key(struct json_out *o, const char *name)
{
	size_t n = strlen(name);
	uint8_t *to = room_for(o, n + 4), *start = to;

	if (o->n > 0 && to[-1] != '{')
		*to++ = ',';
	*to++ = '"';
	memcpy(to, name, n);
	to += n;
	*to++ = '"';
	*to++ = ':';
	o->n += (size_t)(to - start);
}

void json_out_number(struct json_out *o, int64_t value)
{
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[LONGEST_NUMBER];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		digits[--at] = '-';
	json_out_span(o, span_of(digits + at, sizeof digits - at));
}

/* A byte below 0x80 that may not stand in a string as it is; returns the length of its escape. */
static size_t escape(uint8_t c, uint8_t *to)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	static const char hex[] = "0123456789abcdef";

	to[0] = '\\';
	if (c >= 0x20 || letters[c]) {
		to[1] = c >= 0x20 ? c : (uint8_t)letters[c];
		return 2;
	}
	memcpy(to + 1, "u00", 3);
	to[4] = (uint8_t)hex[c >> 4];
	to[5] = (uint8_t)hex[c & 15];
	return LONGEST_ESCAPE;
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/*
 * Whether eight bytes are all plain, and have none of the bits of stop: the classic "has
 * a byte less than n" and "has a zero byte", whose false alarms only cost a look at each.
 */
static bool all_plain(const uint8_t *p, uint8_t stop)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t v, quote, slash;

	memcpy(&v, p, 8);
	quote = v ^ ones * '"';
	slash = v ^ ones * '\\';
	return !((((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) |
		  ((slash - ones) & ~slash)) &
		 ones * 0x80) &&
	       !(v & ones * stop);
}

/*
 * Escape text up to the first byte that has a bit of stop; returns how many bytes that
 * are. The room is for the worst case of each piece, so no byte asks for it.
 */
static size_t put_until(struct json_out *o, struct span text, uint8_t stop)
{
	enum { PIECE = 512 };
	const uint8_t *p = text.p, *end = text.p + text.n;

	while (p < end && !(*p & stop)) {
		size_t n = end - p > PIECE ? PIECE : (size_t)(end - p);
		const uint8_t *piece_end = p + n;
		uint8_t *start = room_for(o, n * LONGEST_ESCAPE), *to = start;

		while (p < piece_end && !(*p & stop)) {
			if (piece_end - p >= 8 && all_plain(p, stop)) {
				memcpy(to, p, 8);
				p += 8;
				to += 8;
			} else if (is_plain(*p)) {
				*to++ = *p++;
			} else {
				to += escape(*p++, to);
			}
		}
		o->n += (size_t)(to - start);
	}
	return (size_t)(p - text.p);
}

static struct span put_ascii(struct json_out *o, struct span text)
{
	size_t n = put_until(o, text, 0x80);

	return span_of(text.p + n, text.n - n);
}

static void put_utf8(struct json_out *o, struct span text)
{
	put_until(o, text, 0);
}

void json_out_text(struct json_out *o, struct span text)
{
	text = text.n > 0 ? put_ascii(o, text) : text;
	if (text.n == 0)
		return;
	if (utf8_check(text)) {
		put_utf8(o, text);
		return;
	}
	while (text.n > 0) {
		size_t n = utf8_first(text);

		if (n > 0) {
			put_utf8(o, span_of(text.p, n));
		} else {
			json_out_raw(o, "\xef\xbf\xbd");
			n = utf8_bad(text);
		}
		text = span_of(text.p + n, text.n - n);
	}
}

void json_out_latin(struct json_out *o, struct span bytes)
{
	bytes = bytes.n > 0 ? put_ascii(o, bytes) : bytes;
	if (bytes.n == 0)
		return;
	if (utf8_check(bytes)) {
		put_utf8(o, bytes);
		return;
	}
	for (size_t i = 0; i < bytes.n; i++) {
		uint8_t c = bytes.p[i];
		uint8_t two[] = {(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))};

		if (c < 0x80)
			put_utf8(o, span_of(&c, 1));
		else
			json_out_span(o, span_of(two, 2));
	}
}

void json_out_string(struct json_out *o, struct span text)
{
	json_out_raw(o, "\"");
	json_out_text(o, text);
	json_out_raw(o, "\"");
}

void json_out_base64(struct json_out *o, struct span bytes)
{
	uint8_t *to = room_for(o, base64_length(bytes.n) + 2);
	size_t n = base64_encode(bytes, (char *)to + 1);

	to[0] = '"';
	to[n + 1] = '"';
	o->n += n + 2;
}
