#ifndef EDGE_LINK_POISON_H
#define EDGE_LINK_POISON_H

/*
 * Events that end the link on which they are sent: docs/decisions/0026-poison-events.md.
 *
 * Each end of a link adds points to all events that were under way on it. An event with too many points is
 * accused: it is sent again only while no other accused event of this edge is under way, which separates the
 * cause from events that were only under way at the same time. If the link ends then too, the edge answers
 * the event itself.
 */

#include "edge/link/uplink_internal.h"

/* Points from which an event is paused before it is sent again, and accused. */
enum { POISON_PAUSED = 8, POISON_SUSPECT = 12 };

static inline bool poison_is_suspect(const struct lane_event *e)
{
	return e->blame >= POISON_SUSPECT;
}

/*
 * The link of the lane's owner has ended: blame the lane's events under way.
 *
 * returns  the event that no broker is to get again; NULL: none
 */
struct lane_event *poison_blame(struct uplink *u, struct lane *l, enum link_end end);

/* The error line of an event that is not sent again. */
void poison_log(const struct lane *l, const struct lane_event *e);

#endif
