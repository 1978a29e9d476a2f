#include "broker/cluster/edge_set.h"

#include "base/mem.h"

#include <stdio.h>

enum {
	NUMBERS = 65536,
	RANGE_TEXT = sizeof ",65535-65535",
};

void edge_set_put(struct edge_set *s, uint16_t number)
{
	s->words[number / 64] |= UINT64_C(1) << (number % 64);
}

void edge_set_remove(struct edge_set *s, uint16_t number)
{
	s->words[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

bool edge_set_has(const struct edge_set *s, uint16_t number)
{
	return (s->words[number / 64] >> (number % 64) & 1) != 0;
}

bool edge_set_exceeds(const struct edge_set *s, const struct edge_set *other)
{
	for (size_t i = 0; i < NUMBERS / 64; i++)
		if ((s->words[i] & ~other->words[i]) != 0)
			return true;
	return false;
}

/* The first number from `from` on; NUMBERS: there is none. */
static unsigned next(const struct edge_set *s, unsigned from)
{
	while (from < NUMBERS) {
		uint64_t rest = s->words[from / 64] >> (from % 64);

		if (rest != 0)
			return from + (unsigned)__builtin_ctzll(rest);
		from = (from / 64 + 1) * 64;
	}
	return NUMBERS;
}

char *edge_set_text(const struct edge_set *s)
{
	size_t room = 64, n = 0;
	char *text = xmalloc(room);

	text[0] = '\0';
	for (unsigned first = next(s, 0), last; first < NUMBERS; first = next(s, last)) {
		last = first + 1; /* behind it */
		while (last < NUMBERS && edge_set_has(s, (uint16_t)last))
			last++;
		if (room - n < RANGE_TEXT)
			text = xrealloc(text, room *= 2);
		n += (size_t)snprintf(text + n, room - n, n > 0 ? ",%u" : "%u", first);
		if (last - first > 1)
			n += (size_t)snprintf(text + n, room - n, "-%u", last - 1);
	}
	return text;
}

/* A number at the beginning of the text, which goes on behind it. */
static bool number(struct span *text, unsigned *out)
{
	size_t n = 0;

	*out = 0;
	while (n < text->n && n < 5 && text->p[n] >= '0' && text->p[n] <= '9')
		*out = *out * 10 + (text->p[n++] - '0');
	*text = span_of(text->p + n, text->n - n);
	return n > 0 && *out < NUMBERS;
}

static bool passes(struct span *text, char c)
{
	if (text->n == 0 || *text->p != (uint8_t)c)
		return false;
	*text = span_of(text->p + 1, text->n - 1);
	return true;
}

bool edge_set_read(struct edge_set *s, struct span text)
{
	unsigned first, last;

	if (text.n == 0)
		return true;
	do {
		if (!number(&text, &first))
			return false;
		last = first;
		if (passes(&text, '-') && !number(&text, &last))
			return false;
		for (unsigned i = first; i <= last; i++)
			edge_set_put(s, (uint16_t)i);
	} while (passes(&text, ','));
	return text.n == 0;
}
