#include "base/percent.h"

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_next(struct span *in)
{
	int c = in->p[0];
	size_t used = 1;

	if (c == '%') {
		int high = in->n > 2 ? hex(in->p[1]) : -1;
		int low = high >= 0 ? hex(in->p[2]) : -1;

		c = low >= 0 ? high << 4 | low : -1;
		used = low >= 0 ? 3 : 1;
	}
	*in = span_of(in->p + used, in->n - used);
	return c;
}

long percent_decode(struct span in, char *out, size_t n)
{
	size_t at = 0;

	while (in.n > 0) {
		int c = percent_next(&in);

		if (c < 0 || at == n)
			return -1;
		out[at++] = (char)c;
	}
	return (long)at;
}
