#ifndef STORE_EVICTION_H
#define STORE_EVICTION_H

/*
 * May Redis remove our keys when its memory is full? Its maxmemory-policy is read each time it
 * can be reached, and now and then. Each one that allows that is a warning, once.
 */

#include "store/store.h"

struct eviction;

/* l, st and m (may be NULL) are borrowed. every_ms: between two looks. Before st is up. */
struct eviction *eviction_new(struct loop *l, struct store *st, struct metrics *m,
			      int64_t every_ms);

/* After store_free; nothing of m is printed after that. NULL is fine. */
void eviction_free(struct eviction *e);

/* What the last look has shown; false before the first. */
bool eviction_is_allowed(const struct eviction *e);

#endif
