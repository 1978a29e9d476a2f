#ifndef BROKER_CLUSTER_REAPER_H
#define BROKER_CLUSTER_REAPER_H

/*
 * Looks after all edges that the store knows, the dead ones above all:
 *
 *   held by its lease                             → are its rows in this memory? (resync.h)
 *   its lease has expired, and it has rows        → they become pending disconnects
 *   a pending disconnect is due                   → uses.due is called
 *   expired, without rows, and owing nothing      → its number is free
 *
 * Each edge has a home among the brokers that looks five times a second; the others look
 * now and then, should it be dead, or not see what they see. Two that do the same at the
 * same time do no harm: each step is one script in the store, and what it moves it moves once.
 */

#include "broker/cluster/resync.h"

struct reaper;

/* What the reaper works with; all of it is borrowed until reaper_free. */
struct reaper_uses {
	struct loop *loop;
	struct store *store;
	struct members *members;
	struct fences *fences;
	struct edges *edges;
	struct resync *resync;
	struct metrics *metrics; /* may be NULL */
	/* The edge has disconnects that may be claimed; false: not now, ask again soon. */
	bool (*due)(void *arg, uint16_t edge);
	/* The edge is dead, and connections of it may be present in channels: they leave. */
	void (*present)(void *arg, uint16_t edge);
	void *arg;
};

/* lease_ms: of edges. Watches members: nothing is reaped for a while when the store has changed. */
struct reaper *reaper_new(int64_t lease_ms, const struct reaper_uses *uses);

/* After store_free. NULL is fine. */
void reaper_free(struct reaper *r);

/*
 * The store is back, or this broker: leases may have expired only since no broker could renew
 * them, so nothing is reaped until a lease's time from now.
 */
void reaper_wait(struct reaper *r);

/* Look no more, and begin nothing: this broker drains. */
void reaper_stop(struct reaper *r);

#endif
