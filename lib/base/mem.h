#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Memory for small things. Sizes that a peer can choose are limited before they
 * are asked for here, so when there is none the process ends with a log line and
 * its supervisor starts another; the cluster is built to lose one.
 */

#include <stdarg.h>
#include <stddef.h>

/* n * size zeroed bytes; never NULL. */
void *xcalloc(size_t n, size_t size);

/* n bytes, not zeroed; never NULL. */
void *xmalloc(size_t n);

/* p grown or shrunk to n bytes; never NULL. */
void *xrealloc(void *p, size_t n);

/* A copy of s, freed with free(3). */
char *xstrdup(const char *s);

/* What malloc(n) takes of memory: n, the allocator's header, rounded up. */
static inline size_t mem_chunk(size_t n)
{
	size_t all = (n + sizeof(size_t) + 15) / 16 * 16;

	return all < 32 ? 32 : all;
}

/* What printf would print, freed with free(3). */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
