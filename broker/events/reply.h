#ifndef BROKER_EVENTS_REPLY_H
#define BROKER_EVENTS_REPLY_H

/* Answers to an edge: an item of this turn's batch, on the link that the event came by. */

#include "broker/cluster/edge_link.h"
#include "broker/events/call.h"

/* term: of the event. A reference to the edge's link is taken, until the sink is closed. */
struct sink reply_to(struct edge_link *edge, uint32_t term);

#endif
