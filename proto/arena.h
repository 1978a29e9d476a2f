#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

/*
 * Memory that is freed all at once: what one envelope needs, while it is built or read.
 */

#include "base/span.h"

#include <protobuf-c/protobuf-c.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;   /* the newest first */
	size_t used;                  /* of the newest */
	ProtobufCAllocator allocator; /* for protobuf-c's unpack */
};

void arena_init(struct arena *a);

/* n bytes, zeroed, aligned for anything; live until the next arena_reset. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of in, alive as long. */
struct span arena_copy(struct arena *a, struct span in);

/* All of it is free again; one block of modest size is kept for the next time. */
void arena_reset(struct arena *a);

void arena_close(struct arena *a);

#endif
