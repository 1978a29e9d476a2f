#ifndef BASE_SPAN_H
#define BASE_SPAN_H

/* Bytes that belong to another owner: borrowed until the call returns, unless a header says longer. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t n;
};

/* For printf: "%.*s", SPAN_ARG(s) */
#define SPAN_ARG(s) (int)(s).n, (const char *)(s).p

static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){p, n};
}

static inline struct span span_str(const char *s)
{
	return (struct span){(const uint8_t *)s, strlen(s)};
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Below 0, 0 or above 0, as memcmp; of two where one begins the other, the longer one is greater. */
static inline int span_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* Equal but for the case of ASCII letters. */
bool span_is_nocase(struct span a, const char *s);

/* Without the spaces, tabs and line ends at both ends. */
struct span span_trim(struct span s);

/* A zero-terminated copy, freed with free(3). */
char *span_dup(struct span a);

#endif
