#include "base/span.h"

#include "base/mem.h"

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool span_is_nocase(struct span a, const char *s)
{
	for (size_t i = 0; i < a.n; i++)
		if (s[i] == '\0' || lower(a.p[i]) != lower((uint8_t)s[i]))
			return false;
	return s[a.n] == '\0';
}

static bool is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
	while (s.n > 0 && is_white(s.p[0]))
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && is_white(s.p[s.n - 1]))
		s.n--;
	return s;
}

char *span_dup(struct span a)
{
	char *s = xmalloc(a.n + 1);

	if (a.n)
		memcpy(s, a.p, a.n);
	s[a.n] = '\0';
	return s;
}
