#ifndef EDGE_LINK_CHANNEL_LINK_H
#define EDGE_LINK_CHANNEL_LINK_H

/*
 * What channels send to brokers, and get from them. A link is known by its serial, which no other
 * link of this process gets: what is sent on one that has ended is dropped.
 */

#include "edge/link/uplink.h"

/* Implemented by edge/channels. All arguments are borrowed until the function returns. */
struct channel_link_callbacks {
	/* settled_ms: when, by the loop's clock, brokers know of this link from the store: two beats from now. */
	void (*linked)(void *arg, uint64_t link, int64_t settled_ms);
	void (*unlinked)(void *arg, uint64_t link);
	/* A Confirmation, Deliver, Fill or Presence, which envelope_read has checked. */
	void (*item)(void *arg, uint64_t link, const Gatepost__Item *i);
};

/* Until this is called, items of channels are dropped. on is copied. */
void channel_link_use(struct uplink *u, const struct channel_link_callbacks *on,
		      void *arg);

/* The serial of a broker's link, for what is answered later. */
uint64_t channel_link_serial(const struct broker_link *b);

/* The next three copy what is in the message. */

void channel_link_interest(struct uplink *u, uint64_t link, const Gatepost__Interest *m);
void channel_link_gap(struct uplink *u, uint64_t link, const Gatepost__Gap *m);
void channel_link_outcome(struct uplink *u, uint64_t link, const Gatepost__Outcome *m);

/*
 * A link for a Gap: one after the other of those whose brokers have the store, or of all if none has.
 *
 * but      not this one, if there is another
 * returns  its serial; 0: no broker is linked
 */
uint64_t channel_link_pick(struct uplink *u, uint64_t but);

/* Is each broker linked that the brokers name? */
bool channel_link_is_complete(const struct uplink *u);

/* For broker_link.c: the link is up, or has been and is not any more; an item of channels has come. */
void channel_link_up(struct broker_link *b, uint32_t beat_ms);
void channel_link_down(struct broker_link *b);
void channel_link_item(struct broker_link *b, const Gatepost__Item *i);

#endif
