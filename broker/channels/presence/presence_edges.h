#ifndef BROKER_CHANNELS_PRESENCE_PRESENCE_EDGES_H
#define BROKER_CHANNELS_PRESENCE_PRESENCE_EDGES_H

/*
 * The presence of an edge's connections against the edge itself.
 *
 *   the edge is dead            → its connections leave all channels
 *   the store has lost memory   → they leave, silently; the edge's list of memberships joins
 *                                 them again; whom the edge does not know by now leaves
 */

#include "broker/channels/presence/presence.h"
#include "broker/cluster/commands.h"

struct presence_edges;

/* All of it is borrowed until presence_edges_free. */
struct presence_edges *presence_edges_new(struct loop *l, struct store *st,
					  struct presence *p, struct commands *commands);

/* After store_free, before commands_free; no fn is called any more. NULL is fine. */
void presence_edges_free(struct presence_edges *e);

/* The edge of this number is dead: its connections leave. Nothing while that is under way already. */
void presence_edges_reap(struct presence_edges *e, uint16_t edge);

/* The memberships of a connection, as its edge lists them. fn: OK; ERR_DOWN: not all were written. Called once, also when there are none. */
void presence_edges_restore(struct presence_edges *e, const Gatepost__Roster__Row *row,
			    store_done_fn *fn, void *arg);

/*
 * Look at all members of the edge: whom it does not know leaves. Nothing while that is under way already. When the
 * store or the edge does not answer, it is begun again a second later.
 */
void presence_edges_reconcile(struct presence_edges *e, uint16_t edge);

#endif
