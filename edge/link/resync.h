#ifndef EDGE_LINK_RESYNC_H
#define EDGE_LINK_RESYNC_H

/* What this edge holds, told to a broker whose store may lack some of it. */

#include "edge/client/registry.h"
#include "proto/link.h"

/*
 * One row for each open connection, in as many items as it takes; at least one.
 * A connection that comes to be open later, and was asked for before, is to be told
 * with roster_tell_one: its row may have been lost too.
 *
 * ticket  of the Resync that this answers
 */
void roster_tell(struct registry *registry, struct link *to, uint64_t ticket);
void roster_tell_one(struct connection *c, struct link *to);

#endif
