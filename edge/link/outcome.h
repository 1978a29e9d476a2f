#ifndef EDGE_LINK_OUTCOME_H
#define EDGE_LINK_OUTCOME_H

/* What became of a command. */

#include "edge/link/uplink.h"
#include "proto/link.h"

/* Answer a command, on the link that it came by. */
void outcome_send(struct broker_link *from, const Gatepost__Outcome *o);

/* A copy of a position that lives until the link's batch is packed; NULL of NULL. */
Gatepost__Position *outcome_copy_position(struct link *l, const Gatepost__Position *in);

#endif
