#ifndef BROKER_CLUSTER_RECONCILE_H
#define BROKER_CLUSTER_RECONCILE_H

/* Rows of a live edge whose connections it does not know are removed from the table (broker/cluster/resync.h). */

#include "broker/cluster/commands.h"

struct reconcile;

/* One edge's is over. e: OK when all rows were gone through; else the store or the edge was lost on the way. */
typedef void reconcile_fn(void *arg, uint16_t edge, enum err e);

/* st and c are borrowed until reconcile_free; m may be NULL. fn(arg, …) is called at the end of each, and not in reconcile_free. */
struct reconcile *reconcile_new(struct store *st, struct commands *c, struct metrics *m,
				reconcile_fn *fn, void *arg);

/* After store_free, before commands_free. NULL is fine. */
void reconcile_free(struct reconcile *r);

/* Go through all rows of this edge; nothing happens while that is being done already. */
void reconcile_begin(struct reconcile *r, uint16_t edge);

#endif
