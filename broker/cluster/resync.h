#ifndef BROKER_CLUSTER_RESYNC_H
#define BROKER_CLUSTER_RESYNC_H

/*
 * The rows of a live edge against the connections that it has. A store that lost some of
 * its memory has another cluster id than the one that the edge's rows are known to be in:
 *
 *   resync_check → Resync → Roster … (the edge's connections) → all written → recorded in the store
 *                                                              → reconcile
 *
 * To reconcile, also once in a while, is to ask the edge for each of its rows whether it knows
 * the connection: an id that it does not know now it never will again, so that row goes.
 */

#include "broker/cluster/commands.h"

struct resync;

/* What resync works with; all of it is borrowed until resync_free. */
struct resync_uses {
	struct loop *loop;
	struct store *store;
	struct members *members;
	struct edges *edges;
	struct commands *commands;
	struct metrics *metrics; /* may be NULL */
	/* The stage of rows that are put now, as the configuration has it; with arg. */
	const char *(*stage)(void *arg);
	/* Write what the row has of memberships, and call fn once. */
	void (*memberships)(void *arg, const Gatepost__Roster__Row *row,
			    store_done_fn *fn, void *fn_arg);
	/* The edge's rows are reconciled now: so is what else is kept of its connections. */
	void (*reconcile)(void *arg, uint16_t edge);
	void *arg;
};

/* every_ms: between two reconciliations of an edge. Watches members. */
struct resync *resync_new(int64_t every_ms, const struct resync_uses *uses);

/* After store_free, before commands_free. NULL is fine. */
void resync_free(struct resync *rs);

/* The edge has its lease, and its rows are known to be in this memory (a cluster id; empty: in none). */
void resync_check(struct resync *rs, uint16_t edge, struct span synced);

/* For the callbacks of edges: some of the connections that an edge has. */
void resync_receive(struct resync *rs, struct edge_link *from, const Gatepost__Roster *m);

#endif
