#include "edge/client/backlog.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct backlog {
	size_t at, n; /* from at to n they are not parsed */
	uint8_t bytes[];
};

struct span backlog_span(const struct backlog *b)
{
	return b ? span_of(b->bytes + b->at, b->n - b->at) : span_of(NULL, 0);
}

void backlog_set(struct backlog **b, struct span rest)
{
	if (rest.n == 0) {
		backlog_drop(b);
	} else if (*b != NULL) {
		(*b)->at = (*b)->n - rest.n;
	} else {
		*b = xmalloc(sizeof **b + rest.n);
		(*b)->at = 0;
		(*b)->n = rest.n;
		memcpy((*b)->bytes, rest.p, rest.n);
	}
}

void backlog_drop(struct backlog **b)
{
	free(*b);
	*b = NULL;
}

size_t backlog_memory(const struct backlog *b)
{
	return b ? mem_chunk(sizeof *b + b->n) : 0;
}
