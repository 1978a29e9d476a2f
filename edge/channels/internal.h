#ifndef EDGE_CHANNELS_INTERNAL_H
#define EDGE_CHANNELS_INTERNAL_H

/* Shared by the files of edge/channels. */

#include "base/map.h"
#include "edge/channels/channels.h"
#include "edge/channels/filter.h"
#include "edge/channels/publication.h"
#include "edge/channels/text.h"

#include <sys/queue.h>

enum {
	CHANNELS_TICK_MS = 100,
	/* What a channel keeps for pending subscriptions, and holds behind a hole: each. */
	CHANNEL_KEEPS = 1000,
	CHANNEL_KEEPS_BYTES = 1024 * 1024,
};

/* No change of interest yet: a channel that brokers have not been told. */
#define CHANGE_NONE UINT64_MAX

/* Why a subscription is not just sent the frame (bits). */
enum {
	SPECIAL_PENDING = 1,
	SPECIAL_CATCHING = 2, /* its position is extra->own, not the channel's */
	SPECIAL_FILTER = 4,
	SPECIAL_SLOW = 8, /* what it is to get is in extra->slow */
	SPECIAL_BATCH = 16,
	SPECIAL_PROBE = 32, /* probe.c is the subscriber */
};

enum { OPTION_RAW = 1, OPTION_CACHE = 2, OPTION_PRESENCE = 4, OPTION_BATCH = 8 };

TAILQ_HEAD(pending_list, pending);

struct pending {
	TAILQ_ENTRY(pending) all;      /* in the order of their time */
	TAILQ_ENTRY(pending) waits;    /* for the outcome */
	struct pending_list *waits_in; /* NULL: it was given, or nobody wants it */
	struct subscription *sub;
	int64_t since_ms;
	uint64_t link, ticket;
	uint64_t kept_from; /* its channel has kept so many before it */
};

/* What a slow subscriber is to get once its outbox is empty. */
struct slow {
	struct shelf ring;
	bool has_dropped;
};

TAILQ_HEAD(batch_list, extra);

/* What most subscriptions do not need. */
struct extra {
	struct subscription *sub;
	struct filter *filter;
	struct blob *member; /* it takes part in presence; NULL: it does not */
	int64_t expires_ms;  /* by the loop's clock; 0: never */
	uint32_t expires_at; /* its place in channels.expiring */
	struct pending *pending;
	struct slow *slow;
	uint64_t own; /* SPECIAL_CATCHING: delivered so far, in the channel's epoch */
	struct shelf batch; /* of this turn */
	TAILQ_ENTRY(extra) batched;
};

/* An idle one takes this, and a pointer in its channel: mem_chunk(40) + 8 to 16 bytes. */
struct subscription {
	struct subscriber *owner;
	struct channel *channel;
	struct subscription *next; /* of the owner */
	struct extra *extra;       /* NULL: nothing special */
	uint32_t at;               /* its place in the channel */
	uint8_t special, options;
	uint8_t policy; /* GATEPOST__SUBSCRIPTION__SLOW__… */
};

TAILQ_HEAD(channel_list, channel);

struct channel {
	struct subscription **subs;
	uint32_t n, room;
	uint32_t n_pending, n_catching;
	uint32_t n_presence; /* that get presence frames */
	/* The position: all up to offset in epoch is delivered. */
	struct blob *epoch; /* the newest seen; NULL: none */
	uint64_t offset;
	bool is_placed;             /* offset is known */
	uint64_t top;               /* the highest offset known in the epoch */
	uint64_t asked_top;         /* what it was when the last Gap was sent */
	uint64_t asked_link;        /* of the last Gap */
	int64_t due_ms;             /* when the next Gap is sent */
	struct channel_list *queue; /* gap.c: where it waits for that; NULL: nowhere */
	TAILQ_ENTRY(channel) queued;
	struct shelf held; /* behind a hole, or before it is placed; by offset */
	struct shelf kept; /* delivered while subscriptions were pending or catching up */
	uint64_t kept_gone; /* so many were in kept, and are not any more */
	uint64_t change;    /* of interest, when brokers were told */
	bool is_changed;    /* it is in the list of changes */
	bool is_moved;      /* it is in the list of those that moved */
	TAILQ_ENTRY(channel) changed;
	TAILQ_ENTRY(channel) moved;
	struct presence *presence; /* changes that were not sent; NULL: none */
	uint8_t n_name;
	char name[];
};

/* One broker's link. */
struct channel_broker {
	uint64_t link;
	int64_t settled_ms;
	uint64_t first; /* the serial of the whole list's last item */
	uint64_t told;  /* the last serial */
	uint64_t confirmed;
	uint64_t change; /* the edge's number of changes at `first` */
};

TAILQ_HEAD(presence_list, presence);

struct channel_counts {
	struct metric *publications, *deliveries, *bytes, *filtered;
	struct metric *slow[3]; /* by policy */
	struct metric *resets[TEXT_REASONS];
	struct metric *asked, *filled, *lost;
	struct metric *positions;
};

struct channels {
	struct loop *loop;
	struct uplink *uplink; /* NULL: stopped */
	struct channels_callbacks on;
	struct channel_counts counts;
	struct timer *tick;
	struct map *table;
	uint64_t subscriptions, members; /* members: those that take part in presence */
	uint64_t
		aside_bytes; /* of memory, set aside for slow subscribers, as if they shared nothing */
	/* interest.c */
	struct channel_broker *brokers;
	size_t n_brokers;
	uint64_t changes; /* of interest that brokers were told, counted */
	struct channel_list changed;
	struct channel_list moved;       /* whose position brokers were not told since */
	int64_t told_ms;                 /* when positions were told last */
	struct pending_list unconfirmed; /* until brokers have confirmed */
	struct pending_list unsettled;   /* until the links are old enough, or all */
	/* subscription.c */
	struct pending_list pending;
	struct subscription **expiring;
	uint32_t n_expiring, expiring_room, expiring_next;
	/* gap.c: in the order of their due_ms */
	struct channel_list to_ask; /* something is missing, or may be */
	struct channel_list now;    /* a link came up */
	struct channel_list soon;   /* it carried something */
	struct channel_list rest;
	struct presence_list presence;
	struct batch_list batched;
	struct {
		struct subscriber subscriber;
		int64_t seen_ms; /* when the last one came, or the first broker was linked */
	} probe;
};

static inline struct span channel_name(const struct channel *c)
{
	return span_of(c->name, c->n_name);
}

#endif
