#ifndef BROKER_RESYNC_H
#define BROKER_RESYNC_H

/*
 * The rows of a live edge against what it holds. A store that lost some of its memory
 * has another cluster id than the one that the edge's rows are known to be in:
 *
 *   resync_check → Resync → Roster … (the edge's connections) → all put → noted in the store
 *                                                              → audit
 *
 * The audit, also once in a while, asks the edge for each of its rows whether it knows the
 * connection: an id that it does not know now it never will again, so that row goes.
 */

#include "broker/edges.h"

struct resync;

struct resync *resync_new(struct broker *b);
void resync_free(struct resync *r); /* NULL is fine */

/*
 * Rows that this broker has put may be missing in the store, whatever is noted there: all
 * edges are to tell theirs again, to whichever broker looks at them.
 */
void resync_doubt(struct resync *rs);

/* The edge has its lease, and its rows are known to be in this memory (a cluster id; empty: in none). */
void resync_check(struct resync *r, uint16_t edge, struct span synced);

/* Some of what an edge holds. */
void resync_receive(struct resync *r, struct edge_link *p, const Gatepost__Roster *m);

#endif
