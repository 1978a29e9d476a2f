#ifndef EDGE_DRAIN_H
#define EDGE_DRAIN_H

/*
 * The end of an edge, begun by SIGTERM or SIGINT:
 *
 *   DELAY         drain-delay: not ready, but it serves and accepts, since balancers
 *                 go on sending clients for some seconds
 *   CLOSING       no new connections; all there are are closed in random order, at
 *                 drain-rate or faster, so that all are within drain-timeout; it ends
 *                 early when none is left, and who is left at its end is cut
 *   HANDING_OVER  2 s at most for brokers to acknowledge the last disconnects
 *
 * A second signal cuts all clients at once and gives brokers 1 s, a third ends the loop.
 * What is not acknowledged then is accounted for by a broker, when the edge's lease lapses.
 */

#include "edge/edge.h"

struct drain;

struct drain *drain_new(struct edge *edge);
void drain_free(struct drain *d); /* NULL is fine */

/* The longest that a drain can take, until the process has ended. */
int64_t drain_most_ms(const struct edge_conf *conf);

/* The loop has stopped: whatever is left is closed without ceremony. */
void drain_last(struct edge *edge);

#endif
