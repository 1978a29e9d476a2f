#ifndef BROKER_RECONCILE_H
#define BROKER_RECONCILE_H

/* Rows of a live edge whose connections it does not know are removed (broker/resync.h). */

#include "broker/broker.h"

struct reconcile;

/* An audit has ended. e: OK when all rows were gone through; else the store or the edge was lost on the way. */
typedef void reconcile_fn(void *arg, uint16_t edge, enum err e);

/* fn(arg, …) is called at the end of each, and not in reconcile_free. */
struct reconcile *reconcile_new(struct broker *b, reconcile_fn *fn, void *arg);
void reconcile_free(struct reconcile *a); /* NULL is fine */

/* Go through all rows of this edge; nothing happens while that is being done already. */
void reconcile_begin(struct reconcile *a, uint16_t edge);

#endif
