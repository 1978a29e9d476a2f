#include "tables/value/key.h"

#include "tables/value/number.h"

#include <assert.h>
#include <xxhash.h>

enum {
	NEGATIVE = 0x7f,
	ZERO = 0x80,
	POSITIVE = 0x81,
	PAIRS = NUMBER_DIGITS / 2,
	END = 0x01,     /* behind 00, of S and B */
	ESCAPED = 0xff, /* behind 00: a 00 of the value */
};

static uint8_t *room_for(struct arena *a, struct key *k, size_t n)
{
	if (!k->p || k->room - k->n < n) {
		size_t room = (k->n + n) * 2;
		uint8_t *p = arena_alloc(a, room);

		if (k->p)
			memcpy(p, k->p, k->n);
		k->p = p;
		k->room = room;
	}
	return k->p + k->n;
}

static void append_bytes(struct arena *a, struct key *k, struct span bytes)
{
	uint8_t *start = room_for(a, k, 2 * bytes.n), *to = start;

	for (size_t i = 0; i < bytes.n; i++) {
		*to++ = bytes.p[i];
		if (bytes.p[i] == 0)
			*to++ = ESCAPED;
	}
	k->n += (size_t)(to - start);
}

static void append_end(struct arena *a, struct key *k)
{
	uint8_t *to = room_for(a, k, 2);

	to[0] = 0;
	to[1] = END;
	k->n += 2;
}

static void append_number(struct arena *a, struct key *k, const struct number *x)
{
	uint8_t *start = room_for(a, k, 3 + PAIRS), *to = start;
	uint8_t turn = x->negative ? 0xff : 0;

	*to++ = x->n == 0 ? ZERO : x->negative ? NEGATIVE : POSITIVE;
	if (x->n > 0) {
		*to++ = (uint8_t)(x->exponent - NUMBER_EXPONENT_LEAST) ^ turn;
		for (int i = 0; i < x->n; i += 2)
			*to++ = (uint8_t)(x->digits[i] * 10 + x->digits[i + 1] + 1) ^
				turn;
		*to++ = turn;
	}
	k->n += (size_t)(to - start);
}

void key_append(struct arena *a, struct key *k, const struct value *v)
{
	struct number x;
	const char *why;

	assert(v->type <= VALUE_B);
	if (v->type == VALUE_N) {
		enum err e = number_read(v->bytes, &x, &why);

		assert(e == OK);
		append_number(a, k, &x);
		return;
	}
	append_bytes(a, k, v->bytes);
	append_end(a, k);
}

void key_append_prefix(struct arena *a, struct key *k, const struct value *v)
{
	assert(v->type == VALUE_S || v->type == VALUE_B);
	append_bytes(a, k, v->bytes);
}

static enum err take_bytes(struct arena *a, struct span *rest, struct span *out)
{
	uint8_t *to = arena_alloc(a, rest->n), *start = to;

	for (size_t i = 0; i < rest->n; i++) {
		uint8_t c = rest->p[i];

		if (c == 0) {
			if (++i == rest->n)
				return ERR_MALFORMED;
			if (rest->p[i] == END) {
				*out = span_of(start, (size_t)(to - start));
				*rest = span_of(rest->p + i + 1, rest->n - i - 1);
				return OK;
			}
			if (rest->p[i] != ESCAPED)
				return ERR_MALFORMED;
		}
		*to++ = c;
	}
	return ERR_MALFORMED;
}

/* The pairs of digits, and the 00 behind them; n: how many bytes that are. */
static enum err take_digits(struct span in, uint8_t turn, struct number *x, size_t *n)
{
	for (*n = 0; *n < in.n; (*n)++) {
		unsigned pair = in.p[*n] ^ turn;

		if (pair == 0)
			break;
		if (pair > 100 || *n == PAIRS)
			return ERR_MALFORMED;
		x->digits[2 * *n] = (uint8_t)((pair - 1) / 10);
		x->digits[2 * *n + 1] = (uint8_t)((pair - 1) % 10);
	}
	if (*n == in.n || *n == 0 || x->digits[0] == 0)
		return ERR_MALFORMED;
	x->n = (uint8_t)(2 * *n);
	if (x->digits[x->n - 1] == 0)
		x->n--;
	*n += 1;
	return x->digits[x->n - 1] == 0 ? ERR_MALFORMED : OK;
}

static enum err take_number(struct span *rest, struct number *x)
{
	uint8_t sign = rest->n > 0 ? rest->p[0] : 0, turn = sign == NEGATIVE ? 0xff : 0;
	size_t n;
	enum err e;

	*x = (struct number){0};
	if (sign == ZERO) {
		*rest = span_of(rest->p + 1, rest->n - 1);
		return OK;
	}
	if ((sign != NEGATIVE && sign != POSITIVE) || rest->n < 2)
		return ERR_MALFORMED;
	x->negative = sign == NEGATIVE;
	x->exponent = (int16_t)((rest->p[1] ^ turn) + NUMBER_EXPONENT_LEAST);
	e = take_digits(span_of(rest->p + 2, rest->n - 2), turn, x, &n);
	if (e == OK)
		*rest = span_of(rest->p + 2 + n, rest->n - 2 - n);
	return e;
}

enum err key_take(struct arena *a, struct span *rest, enum value_type t,
		  struct value *out)
{
	struct number x;
	char text[NUMBER_TEXT];
	enum err e;

	assert(t <= VALUE_B);
	*out = (struct value){.type = t};
	if (t != VALUE_N)
		return take_bytes(a, rest, &out->bytes);
	e = take_number(rest, &x);
	if (e == OK)
		out->bytes = arena_copy(a, span_of(text, number_write(&x, text)));
	return e;
}

uint64_t key_hash(const struct value *partition)
{
	assert(partition->type <= VALUE_B);
	return XXH64(partition->bytes.p, partition->bytes.n, partition->type);
}
