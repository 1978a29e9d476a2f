#ifndef EDGE_CHANNELS_GAP_H
#define EDGE_CHANNELS_GAP_H

/*
 * Holes of channels, and whether there are any: asked of a broker, and filled.
 *
 *   to_ask   something is missing: asked again each second, of another broker
 *   now      compared, since a link came up
 *   soon     compared in 10 s, since it carried something
 *   rest     compared in 30 min
 */

#include "edge/channels/internal.h"

/* Something has changed: ask if there is a hole, unless that is under way. patient: in a second, if it is still there. */
void gap_check(struct channels *ch, struct channel *c, bool patient);

/* A broker has answered. */
void gap_filled(struct channels *ch, uint64_t link, const Gatepost__Fill *m);

/* A link came up: compare all channels. */
void gap_linked(struct channels *ch);

/* Ask what is due. Each CHANNELS_TICK_MS. */
void gap_tick(struct channels *ch, int64_t now);

#endif
