#ifndef EDGE_CHANNELS_CHANNELS_H
#define EDGE_CHANNELS_CHANNELS_H

/*
 * Channels of this edge: which connections have subscribed to which, and how far each channel has been
 * delivered. docs/decisions/0028-channels.md. No file here knows a connection: a subscriber is one.
 *
 *   broker ── Deliver ──▶ deliver ──▶ emit ──▶ callbacks.send ──▶ an outbox
 *                            ▲ hole: gap ── Gap ──▶ broker ── Fill ─┘
 */

#include "base/err.h"
#include "base/loop.h"
#include "base/metric.h"
#include "edge/link/channel_link.h"

struct channels;
struct subscription;

/* Embedded in each connection; zeros at first. */
struct subscriber {
	struct subscription *first;
};

/* Implemented by the clients' side. */
struct channels_callbacks {
	/*
	 * Queue a frame, of which the outbox gets a reference of its own. Only for subscriptions that were activated.
	 *
	 * must     also when the outbox is full
	 * returns  OK; ERR_BUSY: the outbox is full, although as much as possible was written: subscription_drained
	 *          follows when it is empty; ERR_DOWN: the connection has ended, and with it its subscriptions
	 */
	enum err (*send)(struct subscriber *s, struct blob *frame, bool must);
	/* It reads too slowly: close it. Its subscriptions end before this returns. */
	void (*end_slow)(struct subscriber *s);
	/* A subscription that takes part in the presence of this channel, or may have, has ended by itself. */
	void (*unsubscribed)(struct subscriber *s, struct span channel);
};

/*
 * loop     borrowed until channels_stop. To be called before the clients' side adds its hook: what a turn has
 *          batched is to be in the outboxes by then
 * metrics  borrowed until channels_free; may be NULL
 * on       copied
 */
struct channels *channels_new(struct loop *loop, struct metrics *metrics,
			      const struct channels_callbacks *on);

/* Before the first subscription; borrowed until channels_stop. */
void channels_use(struct channels *ch, struct uplink *u);

/* The loop has stopped: nothing is sent any more. Before uplink_free. NULL is fine. */
void channels_stop(struct channels *ch);

/* After the last subscriber is gone. NULL is fine. */
void channels_free(struct channels *ch);

/* For channel_link_use; its arg is the struct channels. */
extern const struct channel_link_callbacks channels_link_callbacks;

#endif
