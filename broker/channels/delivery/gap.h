#ifndef BROKER_CHANNELS_DELIVERY_GAP_H
#define BROKER_CHANNELS_DELIVERY_GAP_H

/*
 * What an edge has missed of a channel: each Gap is answered with a Fill, or not at all
 * while Redis is unreachable: the edge asks again then, another broker.
 *
 *   Gap → queue → read → Fill: what follows, or a part of it
 *                   '--- lost → read the newest → Fill
 */

#include "broker/channels/delivery/interest.h"
#include "broker/channels/delivery/read.h"

struct gaps;

/* All of it is borrowed until gaps_free; metrics may be NULL. */
struct gaps_uses {
	struct interest *interest;
	struct readers *readers;
	struct metrics *metrics;
	/* The namespace of a channel, borrowed until the loop's next turn; NULL: there is none (any more). */
	const struct config_namespace *(*ns)(void *arg, struct span channel);
	void *arg;
};

struct gaps *gaps_new(const struct gaps_uses *uses);

/* After readers_free: no read is answered any more. NULL is fine. */
void gaps_free(struct gaps *gs);

/* For the callbacks of edges. */
void gaps_receive(struct gaps *gs, struct edge_link *from, const Gatepost__Gap *m);

#endif
