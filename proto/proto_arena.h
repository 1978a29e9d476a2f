#ifndef PROTO_PROTO_ARENA_H
#define PROTO_PROTO_ARENA_H

/*
 * Memory that is freed all at once: what one envelope needs, while it is built or read.
 */

#include "base/span.h"

#include <protobuf-c/protobuf-c.h>

struct proto_arena_block;

struct proto_arena {
	struct proto_arena_block *blocks; /* the newest first */
	size_t used;                      /* of the newest */
	size_t size;                      /* of all blocks */
	size_t unpacked;    /* bytes that protobuf-c has had since the last reset */
	size_t unpack_most; /* and may have */
	ProtobufCAllocator allocator; /* for protobuf-c's unpack */
};

void proto_arena_init(struct proto_arena *a);

/* What unpack may take until the next reset: few bytes from outside can ask for many. */
void proto_arena_limit(struct proto_arena *a, size_t most);

/* n bytes, zeroed, aligned for anything; live until the next proto_arena_reset. */
void *proto_arena_alloc(struct proto_arena *a, size_t n);

/* The same, not zeroed: for what is set as a whole. */
void *proto_arena_alloc_raw(struct proto_arena *a, size_t n);

/* A copy of in, alive as long. */
struct span proto_arena_copy(struct proto_arena *a, struct span in);

/* All of it is free again; one block of modest size is kept for the next time. */
void proto_arena_reset(struct proto_arena *a);

void proto_arena_close(struct proto_arena *a);

#endif
