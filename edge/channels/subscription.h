#ifndef EDGE_CHANNELS_SUBSCRIPTION_H
#define EDGE_CHANNELS_SUBSCRIPTION_H

/*
 * A subscription of a connection to a channel:
 *
 *   begin ──▶ PENDING ──activate──▶ live ──unsubscribe, drop, leave, its time──▶ none
 *
 * A pending one gets nothing; what comes for it is kept by its channel.
 */

#include "edge/channels/channels.h"

/*
 * Make a pending subscription, or give one that is there new options. The outcome is sent on the link:
 * at once, or when all brokers have confirmed the edge's interest; of a link that has ended it is dropped.
 *
 * link     where the command came from (channel_link_serial)
 * ticket   of the command
 */
void subscription_begin(struct channels *ch, struct subscriber *s, uint64_t link,
			uint64_t ticket, const Gatepost__Subscription *m);

/*
 * The pending subscription goes live: the missed publications are sent, then what was kept behind the position.
 * If it is not there any more, the client is sent `unsubscribed`.
 */
void subscription_activate(struct channels *ch, struct subscriber *s,
			   const Gatepost__Activate *m);

/* The broker ends it: the client is sent `unsubscribed` with the reason, if it was live. Returns whether it was there. */
bool subscription_unsubscribe(struct channels *ch, struct subscriber *s,
			      struct span channel, struct span reason);

/* The client has ended it: nothing is sent. */
void subscription_drop(struct channels *ch, struct subscriber *s, struct span channel);

/* Is there one that is live? */
bool subscription_is_live(const struct subscriber *s, struct span channel);

/* All subscriptions of the connection end with it. */
void subscription_leave(struct channels *ch, struct subscriber *s);

/* The outbox, which was full, is empty again. */
void subscription_drained(struct channels *ch, struct subscriber *s);

/* The channels in whose presence it takes part, as for uplink_disconnect; NULL: none. */
struct blob *subscription_presence(const struct subscriber *s);

/* Does it take part in the presence of this channel, live or pending? */
bool subscription_is_member(const struct subscriber *s, struct span channel);

/* Call fn for each of them. */
void subscription_memberships(const struct subscriber *s, uplink_membership_fn *fn,
			      void *arg);

/* For channels.c: end those that were pending for too long, and those whose time has come. Each CHANNELS_TICK_MS. */
void subscription_tick(struct channels *ch, int64_t now);

#endif
