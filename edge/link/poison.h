#ifndef EDGE_LINK_POISON_H
#define EDGE_LINK_POISON_H

/*
 * Events that end the link which they are sent on: docs/decisions/0026-poison-events.md.
 *
 * Each end of a link counts against all that was under way on it. What has had too many of them is
 * accused: it is sent again only while no other accused event of this edge is under way, so that those which
 * were only there at the same time are told apart from the one that did it. When the link ends then too, the
 * edge answers the event itself.
 */

#include "edge/link/uplink_internal.h"

/* In points: what it takes to be given a pause before it is sent again, and to be accused. */
enum { POISON_PAUSED = 8, POISON_SUSPECT = 12 };

static inline bool poison_is_suspect(const struct lane_event *e)
{
	return e->blame >= POISON_SUSPECT;
}

/*
 * The link of the lane's owner has ended: blame what of the lane was under way.
 *
 * returns  the event that no broker is to get again; NULL: none
 */
struct lane_event *poison_blame(struct uplink *u, struct lane *l, enum link_end end);

/* The error line of an event that is not sent again. */
void poison_log(const struct lane *l, const struct lane_event *e);

#endif
