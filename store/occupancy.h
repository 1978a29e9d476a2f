#ifndef STORE_OCCUPANCY_H
#define STORE_OCCUPANCY_H

/*
 * Which channels are occupied, as the webhooks `occupied` and `vacated` were told: a channel that is not here is
 * vacated. The channels are in shards. One broker at a time keeps a shard, on a lease: only it writes there.
 *
 *   (vacated) --write--> occupied, pending --write--> occupied --write--> vacated, pending --write--> (vacated)
 */

#include "base/span.h"
#include "store/store.h"

enum { OCCUPANCY_SHARDS = 16, OCCUPANCY_EVENT = 16, OCCUPANCY_EPOCH = 32 };

/* The shard of a channel, the same for all brokers. */
uint16_t store_occupancy_shard(struct span channel);

struct occupancy {
	bool is_occupied;
	bool is_pending; /* the webhook has not handled the event that the channel is this now */
	/* PENDING: */
	char event[OCCUPANCY_EVENT + 1]; /* its id, a word */
	int64_t time_ms;                 /* when it was begun, since 1970 */
	int tries;                       /* of the webhook that have failed */
	/* Position of the channel when it was begun: a word; empty: none. */
	char epoch[OCCUPANCY_EPOCH + 1];
	int64_t offset;
};

/*
 * Keep a shard for ttl_ms from now.
 *
 * fn  OK; is_new: it was not kept by this broker all the time since it asked last, or Redis has lost that.
 *     ERR_DENIED: another broker keeps it
 */
typedef void store_occupancy_hold_fn(void *arg, enum err e, bool is_new);
void store_occupancy_hold(struct store *st, uint16_t shard, const char *boot,
			  int64_t ttl_ms, store_occupancy_hold_fn *fn, void *arg);

/* Keep it no longer. Nothing when another broker keeps it. */
void store_occupancy_release(struct store *st, uint16_t shard, const char *boot,
			     store_done_fn *fn, void *arg);

/*
 * Read a shard, some channels at a time; cursor 0: from the beginning. next 0: that was the end. A channel may come
 * twice. What cannot be read is left out, after a log line.
 */
struct occupancy_row {
	struct span channel;
	struct occupancy is;
};
typedef void store_occupancy_fn(void *arg, enum err e, const struct occupancy_row *rows,
				size_t n, uint64_t next);
void store_occupancy_read(struct store *st, uint16_t shard, uint64_t cursor,
			  store_occupancy_fn *fn, void *arg);

/* Write one channel. fn: OK; ERR_DENIED: this broker (boot) does not keep the channel's shard now. */
void store_occupancy_write(struct store *st, const char *boot, struct span channel,
			   const struct occupancy *is, store_done_fn *fn, void *arg);

#endif
