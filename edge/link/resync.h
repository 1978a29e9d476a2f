#ifndef EDGE_LINK_RESYNC_H
#define EDGE_LINK_RESYNC_H

/* The open connections of this edge, sent to a broker whose store may lack some of them. */

#include "edge/link/uplink.h"
#include "proto/link.h"

/*
 * One row for each open lane, with the channels in whose presence it takes part, in as many items as it takes; at least one.
 * A connection that opens later, and whose connect event is older, must be sent
 * with resync_send_one: its row may have been lost too.
 *
 * ticket  of the Resync that this answers
 */
void resync_send(struct uplink *u, struct link *to, uint64_t ticket);
void resync_send_one(struct uplink *u, struct lane *l,
		     struct link *to); /* nothing if it is not open */

#endif
