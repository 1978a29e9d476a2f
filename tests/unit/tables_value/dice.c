#include "dice.h"

#include "base/mem.h"
#include "tables/value/number.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

struct dice dice_new(int round)
{
	uint64_t seed = 88172645463325252u;

	if (round > 0 && getrandom(&seed, sizeof seed, 0) != sizeof seed)
		abort();
	seed |= 1;
	return (struct dice){seed, seed};
}

uint32_t dice_throw(struct dice *d, uint32_t n)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (uint32_t)(d->state >> 32) % n;
}

/* Often close to the limits, and often small. */
static int exponent(struct dice *d, int digits)
{
	switch (dice_throw(d, 4)) {
	case 0: return (int)dice_throw(d, (uint32_t)(256 - digits)) - 130;
	case 1: return (int)dice_throw(d, 2) ? 126 - digits : -130;
	default: return (int)dice_throw(d, 6) - 3;
	}
}

void dice_number(struct dice *d, bool canonical, char out[256])
{
	struct number x;
	const char *why;
	char mantissa[40];
	int n = 1 + (int)dice_throw(d, dice_throw(d, 3) ? 4 : NUMBER_DIGITS);
	int at = exponent(d, n);

	for (int i = 0; i < n; i++)
		mantissa[i] = (char)('0' + dice_throw(d, 10));
	mantissa[0] = mantissa[0] == '0' ? '1' : mantissa[0];
	mantissa[n - 1] = mantissa[n - 1] == '0' ? '5' : mantissa[n - 1];
	snprintf(out, 256, "%s%.*se%d", dice_throw(d, 2) ? "-" : "", n, mantissa, at);
	if (dice_throw(d, 20) == 0)
		strcpy(out, dice_throw(d, 2) ? "-0.00" : "0");
	if (canonical) {
		enum err e = number_read(span_str(out), &x, &why);

		assert(e == OK);
		out[number_write(&x, out)] = '\0';
	} else if (strchr(out, 'e') && dice_throw(d, 2)) {
		char other[256];

		snprintf(other, sizeof other, "%s%.*s.%se%d",
			 out[0] == '-' ? "-0" : "+00", n, mantissa,
			 dice_throw(d, 2) ? "000" : "", at);
		strcpy(out, other);
	}
}

struct span dice_bytes(struct dice *d, struct arena *a, size_t most, bool text)
{
	static const uint8_t edges[] = {0x00, 0x00, 0x01, 0xfe, 0xff, 0xff, 0x7f, 0x80};
	static const char *const chars[] = {"a", "b", "\x01", "\x7f", "é", "€", "😀", "Z"};
	size_t n = dice_throw(d, (uint32_t)most + 1), at = 0;
	uint8_t *p = arena_alloc(a, most + 4);

	while (at < n) {
		uint32_t face = dice_throw(d, 8);

		if (!text) {
			p[at++] = dice_throw(d, 2) ? edges[face]
						   : (uint8_t)dice_throw(d, 256);
		} else if (dice_throw(d, 6) == 0) {
			p[at++] = 0;
		} else {
			memcpy(p + at, chars[face], strlen(chars[face]));
			at += strlen(chars[face]);
		}
	}
	return span_of(p, at);
}

struct value dice_scalar(struct dice *d, struct arena *a, enum value_type t)
{
	struct value v = {.type = t};
	char text[256];

	if (t == VALUE_N) {
		dice_number(d, true, text);
		v.bytes = arena_copy(a, span_str(text));
	} else {
		v.bytes = dice_bytes(d, a, 6, t == VALUE_S);
	}
	return v;
}

static void append(char **out, const char *text)
{
	size_t n = strlen(*out), more = strlen(text);

	*out = xrealloc(*out, n + more + 1);
	memcpy(*out + n, text, more + 1);
}

static void json_name(struct dice *d, int i, char **out)
{
	static const char *const names[] = {"\"%da\"", "\"b%d\"", "\"\\u0063%d\"",
					    "\" é%d\"", "\"%d\\u0000\""};
	char name[40];

	snprintf(name, sizeof name, names[dice_throw(d, 5)], i);
	append(out, name);
}

static void json_scalar(struct dice *d, uint32_t type, int i, char **out)
{
	static const char *const texts[] = {"",  "a",        "\\u0000", "\\ud83d\\ude00",
					    "€", "\\n\\\"x", "zz",      "\\/"};
	static const char *const codes[] = {"",     "AA==", "/w==", "AAD/",
					    "Zm9v", "Zg==", "Zm8=", "AAAAAAAA"};
	char text[300], number[256];

	if (type == 0) {
		snprintf(text, sizeof text, "\"%s%d\"", texts[dice_throw(d, 8)], i);
	} else if (type == 1) {
		dice_number(d, false, number);
		snprintf(text, sizeof text, "\"%s\"", number);
	} else {
		snprintf(text, sizeof text, "\"%s\"",
			 codes[i >= 0 ? i : (int)dice_throw(d, 8)]);
	}
	append(out, text);
}

/* Members or elements; of a set of numbers one alone, since two might be equal. */
static void json_many(struct dice *d, int depth, uint32_t type, char **out)
{
	int n = (int)dice_throw(d, 6) + (type >= 7), from = (int)dice_throw(d, 3);

	if (type == 8 && n > 1)
		n = 1;
	for (int i = n; i-- > 0;) {
		if (type == 6) {
			json_name(d, i + from, out);
			append(out, dice_throw(d, 3) ? ":" : " : ");
		}
		if (type < 7)
			dice_json(d, depth - 1, out);
		else
			json_scalar(d, type - 7, i + (type == 9 ? 0 : from), out);
		if (i > 0)
			append(out, dice_throw(d, 3) ? "," : " ,\n");
	}
}

void dice_json(struct dice *d, int depth, char **out)
{
	static const char *const names[] = {"S", "N", "B",  "BOOL", "NULL",
					    "L", "M", "SS", "NS",   "BS"};
	uint32_t type = dice_throw(d, 10);

	if (depth == 0 && (type == 5 || type == 6))
		type = 0;
	append(out, dice_throw(d, 8) ? "{\"" : "{ \"x\":[{}], \"SS\":null, \"");
	append(out, names[type]);
	append(out, "\":");
	if (type < 3) {
		json_scalar(d, type, -1, out);
	} else if (type < 5) {
		append(out, type == 4 || dice_throw(d, 2) ? "true" : "false");
	} else {
		append(out, type == 6 ? "{" : "[");
		json_many(d, depth, type, out);
		append(out, type == 6 ? "}" : "]");
	}
	append(out, "}");
}
