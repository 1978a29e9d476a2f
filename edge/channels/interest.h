#ifndef EDGE_CHANNELS_INTEREST_H
#define EDGE_CHANNELS_INTEREST_H

/*
 * Which channels this edge carries, told to all brokers; and the outcomes of subscribes, which wait until
 * each broker has confirmed that it knows.
 *
 * Each item of interest that all brokers get is one change, counted. A broker's serials are counted on
 * its own link; the last item of its whole list stands for all changes before.
 */

#include "edge/channels/internal.h"

void interest_linked(struct channels *ch, uint64_t link, int64_t settled_ms);
void interest_unlinked(struct channels *ch, uint64_t link);
void interest_confirmed(struct channels *ch, uint64_t link, uint64_t serial);

/* The outcome of a pending subscription is to be given, as soon as it may. */
void interest_wait(struct channels *ch, struct pending *p);

/* End of a turn: tell brokers what has changed. */
void interest_flush(struct channels *ch);

/*
 * The position of a channel has moved: all brokers are told within a second, of at most 4,096
 * channels a second. So a broker that did not deliver the last publications knows of them
 * when Redis goes back.
 */
static inline void interest_moved(struct channels *ch, struct channel *c)
{
	if (c->is_moved)
		return;
	c->is_moved = true;
	TAILQ_INSERT_TAIL(&ch->moved, c, moved);
}

/* Outcomes that waited for the age of the links, and positions. Each CHANNELS_TICK_MS. */
void interest_tick(struct channels *ch, int64_t now);

#endif
