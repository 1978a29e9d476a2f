#include "proto/proto_arena.h"

#include "base/mem.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK = 64 * 1024 };

struct proto_arena_block {
	struct proto_arena_block *next;
	size_t room;
	alignas(max_align_t) uint8_t bytes[];
};

static void *take(struct proto_arena *a, size_t n);

/* NULL ends the unpacking as malformed. */
static void *for_protobuf(void *arg, size_t n)
{
	struct proto_arena *a = arg;

	if (n > a->unpack_most - a->unpacked)
		return NULL;
	a->unpacked += n;
	return take(a, n);
}

/* The arena frees all at once. */
static void not_one_by_one(void *arg, void *p)
{
	(void)arg;
	(void)p;
}

void proto_arena_init(struct proto_arena *a)
{
	*a = (struct proto_arena){
		.unpack_most = SIZE_MAX,
		.allocator = {for_protobuf, not_one_by_one, a},
	};
}

void proto_arena_limit(struct proto_arena *a, size_t most)
{
	a->unpack_most = most;
}

static void add_block(struct proto_arena *a, size_t n)
{
	size_t room = n > BLOCK ? n : BLOCK;
	struct proto_arena_block *b = xmalloc(sizeof *b + room);

	b->room = room;
	b->next = a->blocks;
	a->blocks = b;
	a->size += room;
	a->used = 0;
}

static void *take(struct proto_arena *a, size_t n)
{
	const size_t step = alignof(max_align_t);
	size_t want = (n + step - 1) / step * step;
	void *p;

	if (a->blocks == NULL || a->blocks->room - a->used < want)
		add_block(a, want);
	p = a->blocks->bytes + a->used;
	a->used += want;
	return p;
}

void *proto_arena_alloc(struct proto_arena *a, size_t n)
{
	return memset(take(a, n), 0, n);
}

void *proto_arena_alloc_raw(struct proto_arena *a, size_t n)
{
	return take(a, n);
}

struct span proto_arena_copy(struct proto_arena *a, struct span in)
{
	uint8_t *p = take(a, in.n);

	if (in.n > 0)
		memcpy(p, in.p, in.n);
	return span_of(p, in.n);
}

void proto_arena_reset(struct proto_arena *a)
{
	while (a->blocks != NULL &&
	       (a->blocks->next != NULL || a->blocks->room > BLOCK)) {
		struct proto_arena_block *b = a->blocks;

		a->blocks = b->next;
		a->size -= b->room;
		free(b);
	}
	a->used = a->unpacked = 0;
}

void proto_arena_close(struct proto_arena *a)
{
	while (a->blocks != NULL) {
		struct proto_arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	a->used = a->size = 0;
}
