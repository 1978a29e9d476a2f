#ifndef EDGE_LINK_DOWNLINK_H
#define EDGE_LINK_DOWNLINK_H

/* What a broker tells this edge to do with a connection: answers to its events, and commands. */

#include "edge/link/uplink.h"

/* The event is done: apply its fruit, then forget it. An answer of an older term is dropped. */
void downlink_answer(struct edge *edge, struct broker *from, const Gatepost__Answer *a);

/* Somebody else wants something of a connection; the outcome goes back by the same link. */
void downlink_command(struct edge *edge, struct broker *from, const Gatepost__Command *m);

#endif
