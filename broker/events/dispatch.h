#ifndef BROKER_EVENTS_DISPATCH_H
#define BROKER_EVENTS_DISPATCH_H

/*
 * Events enter here: each becomes a call with its route, and is enqueued in the lane of its
 * connection, which calls the handler for its kind.
 */

#include "broker/cluster/edge_link.h"
#include "broker/events/handle.h"
#include "broker/routes/project.h"
#include "store/disconnects.h"

struct dispatch;

/* What dispatch works with; all of it is borrowed until dispatch_free. */
struct dispatch_uses {
	struct store *store;
	struct redelivery *redelivery;
	struct clients *clients;
	struct presence *presence;
	const struct project *project;
	struct metrics *metrics; /* may be NULL */
};

struct dispatch *dispatch_new(const struct dispatch_uses *uses);
void dispatch_free(
	struct dispatch *d); /* NULL is fine; frees the calls that are under way */

/* Connections with an event here. */
size_t dispatch_lanes(const struct dispatch *d);

/* An event of a live edge, whose id is of its number; e is borrowed until the call returns. */
void dispatch_event(struct dispatch *d, struct edge_link *from, const Gatepost__Event *e);

/* A disconnect that is due and claimed (redelivery_uses.deliver). False: it cannot be read. */
bool dispatch_pending(struct dispatch *d, const struct disconnect *pending);

#endif
