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

#include "edge/client/connection.h"

struct uplink;

enum link_end {
	LINK_ENDED_BY_US, /* or by a broker that had said so before: counts against nothing */
	LINK_ENDED_SILENT,
	LINK_ENDED_CLOSED,
	LINK_ENDED_UNREADABLE, /* one side could not read the other */
};

/* In points: what it takes to be given a pause before it is sent again, and to be accused. */
enum { POISON_PAUSED = 8, POISON_ACCUSED = 12 };

static inline bool poison_is_accused(const struct lane_event *e)
{
	return e->blame >= POISON_ACCUSED;
}

/*
 * The link of the lane's home has ended: blame what of the lane was under way.
 *
 * returns  the event that is to be ended by poison_end; NULL: none
 */
struct lane_event *poison_blame(struct uplink *u, struct lane *l, enum link_end end);

/*
 * Answer e, which no broker is to get again: 502, an error frame, or nothing; with an error line. Of a
 * connect that may have been done, a disconnect follows. The lane has been restarted; c may be freed on the next turn.
 */
void poison_end(struct connection *c, struct lane_event *e);

#endif
