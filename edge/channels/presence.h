#ifndef EDGE_CHANNELS_PRESENCE_H
#define EDGE_CHANNELS_PRESENCE_H

/* Who has joined and left, collected: one frame for each subscriber that wants it, in an interval. */

#include "edge/channels/internal.h"

void presence_changed(struct channels *ch, const Gatepost__Presence *m);

/* Send what is due. Each CHANNELS_TICK_MS. */
void presence_tick(struct channels *ch, int64_t now);

/* The channel has no subscriptions any more. */
void presence_drop(struct channels *ch, struct channel *c);

#endif
