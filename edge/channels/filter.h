#ifndef EDGE_CHANNELS_FILTER_H
#define EDGE_CHANNELS_FILTER_H

/* Which publications a subscription wants, by their tags. */

#include "edge/channels/publication.h"

struct filter;

/* A copy of the nodes, which envelope_read has checked; NULL when there are none: everything is wanted. */
struct filter *filter_new(Gatepost__FilterNode *const *nodes, size_t n);
void filter_free(struct filter *f); /* NULL is fine */

bool filter_wants(const struct filter *f, const struct publication *p);

#endif
