#ifndef EDGE_ROSTER_H
#define EDGE_ROSTER_H

/* What this edge holds, told to a broker whose store has lost its memory. */

#include "edge/registry.h"
#include "proto/link.h"

/* One row for each open connection, in as many items as it takes. */
void roster_tell(struct registry *registry, struct link *to);

#endif
