#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * Memory that is given back all at once: for what is read, asked and answered within one
 * request. Not for what lives longer.
 */

#include "base/span.h"

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a); /* NULL is fine */

/* n bytes, aligned for anything, not zeroed; never NULL, also for 0. */
void *arena_alloc(struct arena *a, size_t n);

/* The same, zeroed, for n things of size bytes. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* A copy in a. */
struct span arena_copy(struct arena *a, struct span bytes);

/* What printf would print, zero-terminated. */
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

/* Bytes taken from the system so far, for budgets. */
size_t arena_bytes(const struct arena *a);

#endif
