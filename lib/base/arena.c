#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __has_feature /* clang; gcc has the macro */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
/* Bytes between two pieces that nobody may touch, so that ASan sees who runs over. */
enum { GAP = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
enum { GAP = 0 };
#endif

enum {
	ALIGN = 16,
	FIRST = 4096 - 64, /* with malloc's header and ours, a page */
	MOST = 256 * 1024, /* of a chunk, unless one piece needs more */
};

struct chunk {
	struct chunk *before;
	size_t room;
	_Alignas(ALIGN) uint8_t p[];
};

/* It lies in its first chunk. */
struct arena {
	struct chunk *last; /* the one that pieces are cut from */
	size_t used;        /* of last */
	size_t bytes;
};

static struct chunk *chunk_new(struct chunk *before, size_t room)
{
	assert(room <= SIZE_MAX - sizeof(struct chunk));

	struct chunk *c = xmalloc(sizeof *c + room);

	c->before = before;
	c->room = room;
	ASAN_POISON_MEMORY_REGION(c->p, room);
	return c;
}

struct arena *arena_new(void)
{
	struct chunk *c = chunk_new(NULL, FIRST);
	struct arena *a = (struct arena *)c->p;
	size_t used = (sizeof *a + ALIGN - 1) / ALIGN * ALIGN;

	ASAN_UNPOISON_MEMORY_REGION(a, sizeof *a);
	*a = (struct arena){c, used, sizeof *c + FIRST};
	return a;
}

void arena_free(struct arena *a)
{
	struct chunk *c = a ? a->last : NULL;

	while (c) {
		struct chunk *before = c->before;

		ASAN_UNPOISON_MEMORY_REGION(c->p, c->room);
		free(c);
		c = before;
	}
}

/* Chunks grow with what is asked for, so that there are few. */
static void grow(struct arena *a, size_t least)
{
	size_t room = a->last->room < MOST / 2 ? a->last->room * 2 : MOST;

	if (room < least)
		room = least;
	a->last = chunk_new(a->last, room);
	a->used = 0;
	a->bytes += sizeof *a->last + room;
}

void *arena_alloc(struct arena *a, size_t n)
{
	assert(n <= SIZE_MAX / 2);

	size_t piece = (n + GAP + ALIGN - 1) / ALIGN * ALIGN;

	if (a->last->room - a->used < piece)
		grow(a, piece);

	void *p = a->last->p + a->used;

	a->used += piece;
	ASAN_UNPOISON_MEMORY_REGION(p, n);
	return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
	assert(size == 0 || n <= SIZE_MAX / 2 / size);
	return memset(arena_alloc(a, n * size), 0, n * size);
}

struct span arena_copy(struct arena *a, struct span bytes)
{
	uint8_t *p = arena_alloc(a, bytes.n);

	if (bytes.n > 0)
		memcpy(p, bytes.p, bytes.n);
	return span_of(p, bytes.n);
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char line[256];
	va_list again;
	int n;
	char *out;

	va_copy(again, ap);
	n = vsnprintf(line, sizeof line, fmt, ap);
	assert(n >= 0);
	out = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof line)
		memcpy(out, line, (size_t)n + 1);
	else
		vsnprintf(out, (size_t)n + 1, fmt, again);
	va_end(again);
	return out;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *out;

	va_start(ap, fmt);
	out = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return out;
}

size_t arena_bytes(const struct arena *a)
{
	return a->bytes;
}
