#ifndef BROKER_CHANNELS_PRESENCE_PRESENCE_H
#define BROKER_CHANNELS_PRESENCE_PRESENCE_H

/*
 * Who is in a channel. The store has it; edges that carry the channel get the news, and
 * give each subscriber that wants it one frame in an interval.
 *
 *   join  ─────────────────────────────────▶ store ─▶ news: joined
 *   leave ─▶ at once, or a grace in the store ─▶ (claimed when it is over) ─▶ news: left
 */

#include "broker/channels/delivery/failure.h"
#include "broker/channels/delivery/interest.h"
#include "config/channels.h"
#include "proto/id.h"
#include "store/presence.h"

struct presence;

enum {
	PRESENCE_NAMED = 1000
}; /* with more connections than this, news have counts alone */

/* All of it is borrowed until presence_free; metrics may be NULL. */
struct presence_uses {
	struct loop *loop;
	struct store *store;
	struct interest *interest;
	struct metrics *metrics;
	/* As of channels_uses. */
	const struct config_namespace *(*ns)(void *arg, struct span channel);
	void *arg;
};

struct presence *presence_new(const struct presence_uses *uses);

/* After store_free; no fn is called any more. NULL is fine. */
void presence_free(struct presence *p);

/* failure: NULL, or `unavailable`. */
typedef void presence_fn(void *arg, const struct failure *failure);

/*
 * What others see of a connection: {"connection":"…","user":"…","info":…}, one reference.
 *
 * user  empty: anonymous
 * info  JSON; empty: none
 */
struct blob *presence_member(const struct id *id, struct span user, struct span info);

/* member: as presence_member made it. All spans are borrowed until the call returns. */
void presence_join(struct presence *p, struct span channel, const struct id *id,
		   struct span user, struct span member, presence_fn *fn, void *arg);

/* The same for one that was there before the store lost it: edges hear of the counts alone. */
void presence_restore(struct presence *p, struct span channel, const struct id *id,
		      struct span user, struct span member, presence_fn *fn, void *arg);

/* A connection that is not there changes nothing. */
void presence_leave(struct presence *p, struct span channel, const struct id *id,
		    presence_fn *fn, void *arg);

/* page is borrowed until fn returns; NULL with a failure. after, most: as of store_presence_read. */
typedef void presence_page_fn(void *arg, const struct failure *failure,
			      const struct presence_page *page);
void presence_read(struct presence *p, struct span channel, struct span after,
		   int64_t most, presence_page_fn *fn, void *arg);

/* For presence_edges.c: these have left. */
void presence_left(struct presence *p, struct span channel,
		   const struct presence_change *change);

#endif
