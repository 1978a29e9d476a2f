#ifndef BROKER_CHANNELS_DELIVERY_READ_H
#define BROKER_CHANNELS_DELIVERY_READ_H

/* Position and history of a channel, as the store has them now. */

#include "broker/channels/delivery/failure.h"
#include "config/channels.h"
#include "store/channels.h"

struct readers;

struct generation;
struct interest;

/* All of it is borrowed until readers_free. */
struct readers_uses {
	struct loop *loop;
	struct store *store;
	struct generation *generation;
	struct interest *interest;
};

struct readers *readers_new(const struct readers_uses *uses);

/* After store_free; no fn is called any more. NULL is fine. */
void readers_free(struct readers *r);

struct read_request {
	const struct config_namespace *ns; /* with history */
	struct span channel;               /* borrowed until the call returns */
	int64_t after;                     /* offset; 0: from the oldest on */
	int64_t until;                     /* offset; -1: the last */
	int64_t limit;                     /* messages at most; 0: the position alone */
	int64_t bytes; /* of messages at most, but for the first one read */
	bool newest; /* when there are more than limit: the last ones instead of the first */
};

/*
 * Read what the request names; several reads of a turn go to Redis together.
 *
 * failure  NULL: h is there, borrowed until fn returns; else `unavailable`, after at most 1 s
 */
typedef void read_fn(void *arg, const struct failure *failure,
		     const struct channel_history *h);
void read_channel(struct readers *r, const struct read_request *q, read_fn *fn,
		  void *arg);

#endif
