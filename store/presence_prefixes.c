#include "store/presence_prefixes.h"

#include <stdlib.h>

enum { PREFIXES = 4 };

static int in_order(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

void presence_prefixes(struct words *w, uint16_t edge)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char third[PREFIXES];

	memcpy(third, digits + ((edge & 15u) << 2), PREFIXES);
	qsort(third, PREFIXES, 1, in_order);
	for (size_t i = 0; i < PREFIXES; i++) {
		char text[] = {digits[edge >> 10], digits[edge >> 4 & 63], third[i]};

		words_span(w, span_of(text, sizeof text));
	}
}
