#include "json/cursor.h"

#include <assert.h>
#include <endian.h>

/* All of this trusts its text: json_read has read it. So only ends are looked for. */

static void skip_blank(struct json_cursor *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
		c->at++;
}

enum json_kind json_cursor_kind(struct json_cursor *c)
{
	skip_blank(c);
	assert(c->at < c->end);
	return json_kind_of(*c->at);
}

void json_cursor_enter(struct json_cursor *c)
{
	skip_blank(c);
	assert(c->at < c->end && (*c->at == '{' || *c->at == '['));
	c->at++;
}

bool json_cursor_more(struct json_cursor *c)
{
	skip_blank(c);
	assert(c->at < c->end);
	if (*c->at == '}' || *c->at == ']') {
		c->at++;
		return false;
	}
	if (*c->at == ',') {
		c->at++;
		skip_blank(c);
	}
	return true;
}

/* To the next quote or backslash, of which there is one. Eight bytes at a time: the classic "has a zero byte", whose lowest hit is right. */
static void skip_plain(struct json_cursor *c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);

	for (; c->end - c->at >= 8; c->at += 8) {
		uint64_t v, quote, slash, hits;

		memcpy(&v, c->at, 8);
		v = le64toh(v);
		quote = v ^ ones * '"';
		slash = v ^ ones * '\\';
		hits = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) &
		       ones * 0x80;
		if (hits) {
			c->at += __builtin_ctzll(hits) / 8;
			return;
		}
	}
	while (c->at < c->end && *c->at != '"' && *c->at != '\\')
		c->at++;
}

/* Past a string, which begins here. */
static void skip_string(struct json_cursor *c)
{
	c->at++;
	for (;;) {
		skip_plain(c);
		assert(c->at < c->end);
		if (*c->at == '"')
			break;
		c->at += 2; /* an escape; what is behind \u holds none of the two */
	}
	c->at++;
}

static void skip_nested(struct json_cursor *c)
{
	size_t depth = 0;

	do {
		assert(c->at < c->end);
		switch (*c->at) {
		case '"': skip_string(c); continue;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']': depth--; break;
		default: break;
		}
		c->at++;
	} while (depth > 0);
}

static void skip_word(struct json_cursor *c)
{
	while (c->at < c->end && strchr(" \n\t\r,]}", *c->at) == NULL)
		c->at++;
}

struct span json_cursor_name(struct json_cursor *c)
{
	const uint8_t *start = c->at;
	struct span name;

	skip_string(c);
	name = span_of(start, (size_t)(c->at - start));
	skip_blank(c);
	assert(c->at < c->end && *c->at == ':');
	c->at++;
	return name;
}

struct span json_cursor_value(struct json_cursor *c)
{
	enum json_kind kind = json_cursor_kind(c);
	const uint8_t *start = c->at;

	if (kind == JSON_IS_STRING)
		skip_string(c);
	else if (kind == JSON_IS_OBJECT || kind == JSON_IS_ARRAY)
		skip_nested(c);
	else
		skip_word(c);
	return span_of(start, (size_t)(c->at - start));
}
