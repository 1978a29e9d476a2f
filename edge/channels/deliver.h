#ifndef EDGE_CHANNELS_DELIVER_H
#define EDGE_CHANNELS_DELIVER_H

/*
 * From a publication to the subscriptions of its channel, in the order of offsets, each once.
 *
 *   offset   ≤ position      dropped
 *            = position + 1  to all
 *            > position + 1  held, until what is missing has come (gap.c)
 *            0               no history: to all, as it comes
 */

#include "edge/channels/internal.h"

/* Returns the channel, whose position may have a hole behind it now; NULL: nobody here has subscribed to it. */
struct channel *deliver_item(struct channels *ch, uint64_t link,
			     const Gatepost__Deliver *m);

/* One of the channel's epoch. */
void deliver_take(struct channels *ch, struct channel *c, struct publication *p);

/* < 0: the channel has seen a newer epoch than this; 0: the same; > 0: this is newer. */
int deliver_compare(const struct channel *c, struct span epoch);

/* A newer epoch begins: position 0 of it, and a reset for all. */
void deliver_begin_epoch(struct channels *ch, struct channel *c, struct span epoch);

/* The channel's position is this one from now on; what is held behind it follows. */
void deliver_place(struct channels *ch, struct channel *c, uint64_t offset);

/*
 * A reset to the channel's position, for all, or for those alone that have an own position up to own_most.
 *
 * newest   what those that recover from a cache get instead; NULL: a reset, too
 */
void deliver_reset(struct channels *ch, struct channel *c, enum text_reason why,
		   struct publication *newest);
void deliver_reset_behind(struct channels *ch, struct channel *c, uint64_t own_most,
			  struct publication *newest);

/* Drop what is held above that offset. */
void deliver_forget_above(struct channels *ch, struct channel *c, uint64_t offset);

#endif
