#ifndef BROKER_CHANNELS_DELIVERY_INTEREST_H
#define BROKER_CHANNELS_DELIVERY_INTEREST_H

/*
 * Which edges carry which channels, as they have reported it over their links; and for
 * each channel that is carried the highest position known to be delivered.
 *
 *   link up → Interest … Interest{all} → complete ─ Interest, each when it changes ─→ link lost
 *
 * Without history a publication may go out only while the interest is complete: no gap is
 * filled later.
 */

#include "broker/cluster/edges.h"
#include "store/channels.h"

struct interest;

/* All of it is borrowed until interest_free; metrics may be NULL. */
struct interest_uses {
	struct loop *loop;
	struct store *store;
	struct members *members;
	struct metrics *metrics;
};

/* Before members_start. */
struct interest *interest_new(const struct interest_uses *uses);

/* After edges_free; no fn is called any more. NULL is fine. */
void interest_free(struct interest *in);

/* For the callbacks of edges. */
void interest_link_up(struct interest *in, struct edge_link *edge);
void interest_link_lost(struct interest *in, struct edge_link *edge);

/* What an edge carries now. It gets the Confirmation in the same turn. */
void interest_receive(struct interest *in, struct edge_link *from,
		      const Gatepost__Interest *m);

/*
 * Is the interest known of each edge that some broker is linked to? The edges that are
 * linked here have sent all they carry, and so has each edge that another broker says it
 * is linked to. A broker that is younger than two beats does not know: others may
 * not know of it.
 */
bool interest_is_complete(const struct interest *in);

/*
 * Wait until it is, in the order of asking.
 *
 * fn  in_time: it is complete now; else it was not within 2 s. Called once, perhaps before
 *     this returns
 */
typedef void interest_fn(void *arg, bool in_time);
void interest_wait(struct interest *in, interest_fn *fn, void *arg);

/* Delivered to subscribers as far as is known; borrowed until the interest changes. No epoch: unknown. */
struct position interest_known(const struct interest *in, struct span channel);

/* This was delivered. Nothing when no edge carries the channel. */
void interest_delivered(struct interest *in, struct span channel, struct position p);

/* Call fn for each edge that carries the channel; it must not end links. Returns how many there are. */
typedef void interest_edge_fn(void *arg, struct edge_link *edge);
size_t interest_each(const struct interest *in, struct span channel, interest_edge_fn *fn,
		     void *arg);

/* Does an edge carry the channel? */
bool interest_is_carried(const struct interest *in, struct span channel);

/* Is an edge of this number linked here, and is all known that it carries? */
bool interest_is_of(const struct interest *in, uint16_t edge);

/* Call fn for each channel that edges carry; fn must not change the interest. */
typedef void interest_changed_fn(void *arg, struct span channel);
void interest_walk(const struct interest *in, interest_changed_fn *fn, void *arg);

/*
 * Call fn when the first edge carries a channel, and when none does any more: many times in a turn, when a link
 * ends. fn must not change the interest. One may watch; NULL: nobody.
 */
void interest_watch(struct interest *in, interest_changed_fn *fn, void *arg);

#endif
