#ifndef BROKER_EVENTS_LANE_H
#define BROKER_EVENTS_LANE_H

/*
 * The events of one connection are handled one after the other; messages of routes with
 * `concurrency: parallel` beside each other, in the order of their coming. A lane is here only
 * while an event of it is: what outlives that is the edge's to keep.
 */

#include "broker/events/call.h"

struct lanes;

/* It is c's turn. c ends in one of call.h's ways, perhaps before this returns. */
typedef void lane_fn(struct call *c);

struct lanes *lanes_new(struct metrics *m, lane_fn *handle);
void lanes_free(struct lanes *l); /* NULL is fine; frees the calls in them */

/* Connections with an event here. */
size_t lanes_size(const struct lanes *l);

/*
 * Handle c now, or after those of its connection that came before. Takes c. The same
 * event again (its edge sends it again after a lost link) takes the place of the first,
 * and is not handled twice.
 */
void lane_enqueue(struct lanes *l, struct call *c);

#endif
