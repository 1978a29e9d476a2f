#include "http/query.h"

#include "base/mem.h"
#include "base/percent.h"

#include <stdlib.h>

/* What is before c, all when it is not there; *rest is what is behind it. */
static struct span cut(struct span in, char c, struct span *rest)
{
	const uint8_t *at = in.n > 0 ? memchr(in.p, c, in.n) : NULL;
	size_t n = at ? (size_t)(at - in.p) : in.n;

	*rest = at ? span_of(at + 1, in.n - n - 1) : span_of(NULL, 0);
	return span_of(in.p, n);
}

bool query_next(struct span *rest, struct span *name, struct span *value)
{
	while (rest->n > 0) {
		struct span one = cut(*rest, '&', rest);

		*name = cut(one, '=', value);
		if (one.n > 0)
			return true;
	}
	return false;
}

static bool is_right(struct span s)
{
	while (s.n > 0)
		if (percent_next(&s) <= 0)
			return false;
	return true;
}

bool query_is_right(struct span query)
{
	struct span name, value;

	while (query_next(&query, &name, &value))
		if (name.n == 0 || value.p == NULL || !is_right(name) || !is_right(value))
			return false;
	return true;
}

static char *decoded(struct span in)
{
	char *out = xmalloc(in.n + 1);
	size_t n = 0;

	while (in.n > 0) {
		bool blank = in.p[0] == '+';
		int c = percent_next(&in);

		out[n++] = blank ? ' ' : c < 0 ? '%' : (char)c;
	}
	out[n] = '\0';
	return out;
}

char *query_parameter(struct span query, const char *name)
{
	struct span raw, value;

	while (query_next(&query, &raw, &value)) {
		char *one = decoded(raw);
		bool found = strcmp(one, name) == 0;

		free(one);
		if (found)
			return decoded(value);
	}
	return NULL;
}
