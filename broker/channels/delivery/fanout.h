#ifndef BROKER_CHANNELS_DELIVERY_FANOUT_H
#define BROKER_CHANNELS_DELIVERY_FANOUT_H

/* One Deliver for each edge that carries a channel; what it costs does not depend on the number of subscribers. */

#include "broker/channels/delivery/interest.h"
#include "broker/channels/delivery/message.h"
#include "broker/channels/delivery/receipt.h"

struct fanout;

/* in is borrowed until fanout_free; m may be NULL. */
struct fanout *fanout_new(struct interest *in, struct metrics *m);
void fanout_free(struct fanout *f); /* NULL is fine */

struct fanout_message {
	struct span channel;
	struct position position; /* no epoch: the channel has no history */
	struct blob *body;        /* borrowed; each edge's batch keeps a reference */
	bool is_binary;
	const struct message_tags *tags;
	struct receipt *receipt; /* NULL: nobody counts */
};

/* Would each edge that carries the channel take a publication now? */
bool fanout_has_credit(const struct fanout *f, struct span channel);

/* Send it to all of them. Returns how many have no credit and were left out. */
size_t fanout_send(struct fanout *f, const struct fanout_message *m);

/* For a list of publications on the link: one in memory of b, which keeps references to body and tags. */
Gatepost__Publication *fanout_publication(struct batch *b, int64_t offset,
					  struct blob *body, bool is_binary,
					  const struct message_tags *tags);

/* The same for a position. */
Gatepost__Position *fanout_position(struct batch *b, struct position p);

#endif
