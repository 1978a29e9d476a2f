#ifndef BASE_BLOB_H
#define BASE_BLOB_H

/*
 * Bytes shared by counting. What many share does not change: fill a blob before
 * its second holder gets it.
 */

#include "base/mem.h"
#include "base/span.h"

struct blob {
	uint32_t refs;
	size_t n;
	uint8_t p[];
};

/* A blob of n bytes, not yet filled; the caller holds the one reference. */
struct blob *blob_alloc(size_t n);

/* A copy of in; the caller holds the one reference. */
struct blob *blob_new(struct span in);

/* One more holder; returns b. */
struct blob *blob_ref(struct blob *b);

/* One holder less; the last one frees. NULL is fine. */
void blob_unref(struct blob *b);

/* Bytes of memory that b takes, for budgets. NULL takes none. */
static inline size_t blob_memory(const struct blob *b)
{
	return b ? mem_chunk(sizeof *b + b->n) : 0;
}

/* The bytes, borrowed for as long as the caller holds b. NULL gives no bytes. */
struct span blob_span(const struct blob *b);

#endif
