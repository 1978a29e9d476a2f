#include "json/string.h"

#include "base/utf8.h"
#include "json/read.h"

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The unit of \uXXXX, p at its first digit; a negative number when those are no digits. */
static int32_t read_unit(const uint8_t *p, const uint8_t *end)
{
	int32_t unit = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* The character that stands after a backslash for itself or for a control; 0 for none. */
static uint8_t unescaped(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
	case '/': return c;
	case 'b': return '\b';
	case 'f': return '\f';
	case 'n': return '\n';
	case 'r': return '\r';
	case 't': return '\t';
	default: return 0;
	}
}

size_t json_string_escape(struct span in)
{
	if (in.n < 2)
		return 0;
	if (in.p[1] != 'u')
		return unescaped(in.p[1]) ? 2 : 0;
	return read_unit(in.p + 2, in.p + in.n) < 0 ? 0 : 6;
}

static size_t put_utf8(uint32_t c, uint8_t out[4])
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(lead[n] | c);
	return n;
}

/* One escape at *p, to the UTF-8 of its character; returns its length, 0 for half of a surrogate pair. */
static size_t unescape(const uint8_t **p, const uint8_t *end, uint8_t out[4])
{
	uint8_t simple = unescaped((*p)[1]);

	if (simple) {
		out[0] = simple;
		*p += 2;
		return 1;
	}

	int32_t unit = read_unit(*p + 2, end);

	*p += 6;
	if (unit < 0xd800 || unit > 0xdfff)
		return put_utf8((uint32_t)unit, out);

	bool pair = end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u';
	int32_t low = pair ? read_unit(*p + 2, end) : -1;

	if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0;
	*p += 6;
	return put_utf8(0x10000u + ((uint32_t)(unit - 0xd800) << 10) +
				(uint32_t)(low - 0xdc00),
			out);
}

/* The character or byte at *p, unescaped; returns its length, 0 for half of a surrogate pair. */
static size_t next(const uint8_t **p, const uint8_t *end, uint8_t out[4])
{
	if (**p == '\\')
		return unescape(p, end, out);
	out[0] = *(*p)++;
	return 1;
}

bool json_string_is(struct span raw, struct span key)
{
	const uint8_t *p = raw.p + 1;
	const uint8_t *end = raw.p + raw.n - 1;
	size_t at = 0;

	if (!memchr(p, '\\', (size_t)(end - p)))
		return span_eq(span_of(p, (size_t)(end - p)), key);
	while (p < end) {
		uint8_t c[4];
		size_t n = next(&p, end, c);

		if (n == 0 || key.n - at < n || memcmp(key.p + at, c, n) != 0)
			return false;
		at += n;
	}
	return at == key.n;
}

static const uint8_t replacement[] = {
	0xef, 0xbf, 0xbd}; /* U+FFFD, shorter than any escape of half a pair */

enum err json_unescape(struct span raw, uint8_t *room, size_t n, struct span *out)
{
	const uint8_t *p = raw.p + 1;
	const uint8_t *end = raw.p + raw.n - 1;
	size_t at = 0;

	*out = span_of(p, (size_t)(end - p));
	if (!memchr(p, '\\', out->n))
		return OK;
	while (p < end) {
		uint8_t c[4];
		size_t len = next(&p, end, c);

		if (len == 0)
			return ERR_MALFORMED;
		if (n - at < len)
			return ERR_TOOBIG;
		memcpy(room + at, c, len);
		at += len;
	}
	*out = span_of(room, at);
	return OK;
}

bool json_unescape_lenient(struct span raw, uint8_t *room, struct span *out)
{
	const uint8_t *p = raw.p + 1;
	const uint8_t *end = raw.p + raw.n - 1;
	size_t at = 0;
	bool good = true;

	if (json_unescape(raw, room, raw.n, out) == OK)
		return true;
	while (p < end) {
		uint8_t c[4];
		size_t len = next(&p, end, c);

		if (len == 0) {
			good = false;
			len = sizeof replacement;
			memcpy(c, replacement, len);
		}
		memcpy(room + at, c, len);
		at += len;
	}
	*out = span_of(room, at);
	return good;
}

/* How many bytes may go into a JSON string as they are. */
static size_t plain_length(struct span in)
{
	size_t n = 0;

	while (n < in.n) {
		uint8_t c = in.p[n];
		size_t len = c < 0x80 ? 1 : utf8_first(span_of(in.p + n, in.n - n));

		if (len == 0 || c < 0x20 || c == '"' || c == '\\')
			break;
		n += len;
	}
	return n;
}

static void escape_one(uint8_t c, struct evbuffer *out)
{
	static const char letters[0x20] = {
		['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

	if (c >= 0x20)
		evbuffer_add_printf(out, "\\%c", c);
	else if (letters[c])
		evbuffer_add_printf(out, "\\%c", letters[c]);
	else
		evbuffer_add_printf(out, "\\u%04x", c);
}

void json_escape(struct span in, struct evbuffer *out)
{
	evbuffer_add(out, "\"", 1);
	while (in.n > 0) {
		size_t n = plain_length(in);

		if (n > 0)
			evbuffer_add(out, in.p, n);
		if (n < in.n && in.p[n] < 0x80) {
			escape_one(in.p[n++], out);
		} else if (n < in.n) {
			evbuffer_add(out, replacement, sizeof replacement);
			n += utf8_bad(span_of(in.p + n, in.n - n));
		}
		in = span_of(in.p + n, in.n - n);
	}
	evbuffer_add(out, "\"", 1);
}
