#ifndef EDGE_CHANNELS_FILTER_H
#define EDGE_CHANNELS_FILTER_H

/* Which publications a subscription wants, by their tags. */

#include "base/err.h"
#include "edge/channels/publication.h"

/* Nodes of a filter; all values of its nodes. */
enum { FILTER_NODES = 32, FILTER_VALUES = 1024 };

struct filter;

/*
 * Nodes in prefix order: each is followed by its operands.
 *
 * out      on OK: a copy of them; NULL when there are none (everything is wanted)
 * returns  OK; ERR_MALFORMED: too many, operands are missing or left over, or values
 */
must_use enum err filter_new(Gatepost__FilterNode *const *nodes, size_t n,
			     struct filter **out);
void filter_free(struct filter *f); /* NULL is fine */

bool filter_wants(const struct filter *f, const struct publication *p);

#endif
