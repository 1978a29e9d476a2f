#ifndef STORE_CHANNELS_H
#define STORE_CHANNELS_H

/*
 * Channels: their positions and their history.
 *
 * A position is an epoch and an offset, one value. Offsets are 1, 2, 3 … without holes
 * under one epoch. A new epoch begins whenever offsets may have started again: the
 * position is missing (expired, evicted, Redis lost its memory), it belongs to another
 * generation of the store, or it is behind what subscribers have already received.
 * Epochs begin with their time, so that of two the newer is greater as bytes.
 *
 * A channel is a name of 1 to 255 bytes without { and }; it is Redis Cluster's hash tag,
 * so all keys of a channel are on one node.
 */

#include "base/span.h"
#include "store/store.h"

enum { CHANNEL_NAME_MAX = 255 };

struct position {
	struct span epoch; /* 1 to 32 characters without blanks; empty: none */
	int64_t offset;    /* from 0: nothing published yet */
};

/* What every question about a channel's position comes with. */
struct channel_look {
	struct span channel;
	struct span generation; /* of the store; characters without blanks */
	struct span
		proposed; /* the end of the epoch, should a new one begin: a few random characters without blanks */
	struct position known; /* delivered to subscribers already */
	int64_t ttl_ms; /* how long a message is kept; the position lives an hour more than twice as long */
};

struct channel_append {
	struct channel_look look;
	int64_t size;       /* messages kept at most; 0: no history, no offset is given */
	int64_t bytes;      /* bytes kept at most, 13 for each message's time included */
	struct span key;    /* idempotency, at most 255 bytes; empty: none */
	int64_t key_ttl_ms; /* how long a key is remembered */
	struct span from;   /* the connection that publishes; empty: none */
	uint64_t event; /* with from: number of the event in its lane, and the place */
	unsigned index; /* of this publish in the event, from 0 */
	int64_t event_ms; /* with from: when the event happened, the same each time that it is sent */
	int64_t now_ms; /* since 1970: the message's time */
	bool has_version;
	uint64_t version;    /* not above the channel's last one: suppressed */
	struct span message; /* any bytes */
};

enum channel_outcome {
	CHANNEL_APPENDED, /* position is the message's own; without history: may be sent */
	CHANNEL_REPEATED,  /* the same event appended it before: its position from then */
	CHANNEL_DUPLICATE, /* the key is known: the position of its first message */
	CHANNEL_SUPPRESSED, /* the version is old: the channel's position */
};

struct channel_appended {
	enum channel_outcome outcome;
	struct position position;
	int64_t time_ms; /* since 1970; repeated, duplicate: of the first one */
};

/*
 * Append a message, and trim the history to size, bytes and ttl_ms. When it returns OK the
 * message has its offset for good: the same event, given again, gets the same one. Appends are
 * done in the order in which they were asked for, many in one call to Redis; who asks bounds how
 * many wait. An error of one is no error of the others.
 *
 * fn  a is NULL unless OK
 */
typedef void store_append_fn(void *arg, enum err e, const struct channel_appended *a);
void store_channel_append(struct store *st, const struct channel_append *q,
			  store_append_fn *fn, void *arg);

struct channel_read {
	struct channel_look look;
	int64_t after; /* offset; 0: from the oldest on */
	int64_t until; /* offset; -1: the last */
	int64_t limit; /* messages at most; 0: the position alone */
	int64_t bytes; /* of messages at most, but for the first one read */
	bool newest; /* when there are more than limit: the last ones instead of the first */
};

struct channel_message {
	int64_t time_ms;
	struct span message;
};

struct channel_history {
	struct position position; /* of the channel */
	int64_t base;             /* messages above this offset are kept */
	int64_t first; /* offset of messages[0]; the others follow without a hole */
	const struct channel_message *messages; /* in the order of their offsets */
	size_t n;
};

/* Read the position and history; a position that is missing begins. fn: h is NULL unless OK. */
typedef void store_history_fn(void *arg, enum err e, const struct channel_history *h);
void store_channel_read(struct store *st, const struct channel_read *q,
			store_history_fn *fn, void *arg);

/* Forget the messages; offsets go on. fn: OK also when there were none. */
void store_channel_clear(struct store *st, struct span channel, store_done_fn *fn,
			 void *arg);

#endif
