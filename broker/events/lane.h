#ifndef BROKER_EVENTS_LANE_H
#define BROKER_EVENTS_LANE_H

/*
 * The events of one connection are handled one after the other; messages of routes with
 * `concurrency: parallel` start in order and run in parallel. A lane exists only while it
 * has an event here; longer state is kept by the edge.
 */

#include "broker/events/call.h"

struct lanes;

/* Handle c now. It ends in one of the ways of call.h, perhaps before this returns. */
typedef void lane_fn(struct call *c);

struct lanes *lanes_new(struct metrics *m, lane_fn *handle);
void lanes_free(struct lanes *l); /* NULL is fine; frees the calls in them */

/* Connections with an event here. */
size_t lanes_size(const struct lanes *l);

/*
 * Handle c now, or after the earlier events of its connection. Takes c. An event that the
 * edge sends again after a lost link replaces the first one, and is handled once.
 */
void lane_enqueue(struct lanes *l, struct call *c);

#endif
