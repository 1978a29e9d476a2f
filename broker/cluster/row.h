#ifndef BROKER_CLUSTER_ROW_H
#define BROKER_CLUSTER_ROW_H

/* A connection's context, as its edge keeps it, and its row, as the store does: there and back. */

#include "base/blob.h"
#include "store/connections.h"

#include <proto/gatepost.pb-c.h>

/*
 * Fill row from a context; its id and edge are the caller's.
 *
 * x, packed  the same context, unpacked and packed; row borrows from both
 */
void row_fill(struct connection_row *row, const Gatepost__Context *x, struct span packed,
	      const char *stage);

/* The packed Context of a row that the store gave, one reference. */
struct blob *row_context(const struct connection_row *row);

#endif
