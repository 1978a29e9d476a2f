#include "base/blob.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct blob *blob_alloc(size_t n)
{
	assert(n <= SIZE_MAX - sizeof(struct blob));

	struct blob *b = xmalloc(sizeof *b + n);

	b->refs = 1;
	b->n = n;
	return b;
}

struct blob *blob_new(struct span in)
{
	struct blob *b = blob_alloc(in.n);

	if (in.n)
		memcpy(b->p, in.p, in.n);
	return b;
}

struct blob *blob_ref(struct blob *b)
{
	assert(b->refs > 0 && b->refs < UINT32_MAX);
	b->refs++;
	return b;
}

void blob_unref(struct blob *b)
{
	if (!b)
		return;
	assert(b->refs > 0);
	if (--b->refs == 0)
		free(b);
}

struct span blob_span(const struct blob *b)
{
	return b ? span_of(b->p, b->n) : (struct span){0};
}
