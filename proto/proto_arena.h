#ifndef PROTO_ARENA_H
#define PROTO_ARENA_H

/*
 * Memory that is freed all at once: what one envelope needs, while it is built or read.
 */

#include "base/span.h"

#include <protobuf-c/protobuf-c.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* the newest first */
	size_t used;                /* of the newest */
	size_t size;                /* of all blocks */
	size_t unpacked;    /* bytes that protobuf-c has had since the last reset */
	size_t unpack_most; /* and may have */
	ProtobufCAllocator allocator; /* for protobuf-c's unpack */
};

void arena_init(struct arena *a);

/* What unpack may take until the next reset: few bytes from outside can ask for many. */
void arena_limit(struct arena *a, size_t most);

/* n bytes, zeroed, aligned for anything; live until the next arena_reset. */
void *arena_alloc(struct arena *a, size_t n);

/* The same, not zeroed: for what is set as a whole. */
void *arena_alloc_raw(struct arena *a, size_t n);

/* A copy of in, alive as long. */
struct span arena_copy(struct arena *a, struct span in);

/* All of it is free again; one block of modest size is kept for the next time. */
void arena_reset(struct arena *a);

void arena_close(struct arena *a);

#endif
