#ifndef EDGE_DRAIN_H
#define EDGE_DRAIN_H

/*
 * The end of an edge. SIGTERM or SIGINT: not ready, no new connections, each client
 * is closed with 1001, each disconnect acknowledged by a broker; then the loop stops,
 * at the latest after drain-timeout. A second signal stops it at once.
 */

#include "edge/edge.h"

struct drain;

struct drain *drain_new(struct edge *edge);
void drain_free(struct drain *d); /* NULL is fine */

/* The loop has stopped: whatever is left is closed without ceremony. */
void drain_last(struct edge *edge);

#endif
