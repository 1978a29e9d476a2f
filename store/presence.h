#ifndef STORE_PRESENCE_H
#define STORE_PRESENCE_H

/*
 * Presence: which connections are in a channel, and how many users. Counts are O(1).
 *
 * An edge's connections leave all channels when it is dead: its list says which channels
 * these are. A leave may have a grace, after which the connection has left unless its user
 * has come back: store_presence_claim finds the channels where one is over.
 */

#include "base/span.h"
#include "store/store.h"

#include <stdint.h>

/* What has changed; borrowed until fn returns. */
struct presence_change {
	const struct span *members; /* as JSON: those that have joined or left */
	size_t n;                   /* 0: it is no news */
	int64_t connections, users; /* after it */
	int64_t due_ms; /* leave, expire: when the next grace ends, since 1970; 0: none runs */
	bool more;      /* reap: there are more */
	int64_t at_us; /* by the store's clock, since 1970: of two changes the later one has the counts */
};
/* change is NULL unless OK. */
typedef void store_presence_fn(void *arg, enum err e,
			       const struct presence_change *change);

struct presence_member {
	uint16_t edge;
	struct span
		connection; /* id as text; empty for store_presence_leave's answers only */
	struct span user;   /* at most 1024 bytes; empty: anonymous */
	struct span json;   /* what others see of it */
};

/* Join; again changes nothing. A join that reaches Redis too late, since this process was stopped meanwhile, is not made: ERR_DOWN. change has the member, unless it was there or its user is back within a grace. */
void store_presence_join(struct store *st, struct span channel,
			 const struct presence_member *m, store_presence_fn *fn,
			 void *arg);

/*
 * Leave; a connection that is not there changes nothing.
 *
 * grace_ms  0: at once. Anonymous connections always leave at once
 */
void store_presence_leave(struct store *st, struct span channel, uint16_t edge,
			  struct span connection, int64_t grace_ms, store_presence_fn *fn,
			  void *arg);

/* Remove those whose grace is over, at most 500 at a time: when due_ms is past, ask again. */
void store_presence_expire(struct store *st, struct span channel, store_presence_fn *fn,
			   void *arg);

/* Remove the connections of a dead edge, at most 500 at a time. */
void store_presence_reap(struct store *st, struct span channel, uint16_t edge,
			 store_presence_fn *fn, void *arg);

struct presence_page {
	const struct span *members; /* as JSON, in the order of their connection ids */
	size_t n;
	int64_t connections, users;
	struct span next; /* to be given as after; empty: that was the end */
};
/* Counts, and the members behind the connection id `after` (empty: from the first on), most of them at most (0: counts alone). page is NULL unless OK. */
typedef void store_presence_page_fn(void *arg, enum err e,
				    const struct presence_page *page);
void store_presence_read(struct store *st, struct span channel, struct span after,
			 int64_t most, store_presence_page_fn *fn, void *arg);

/*
 * Channels of the list of an edge, at most 100; they stay until store_presence_unlist. names is NULL unless OK.
 *
 * from  how many to pass over
 */
typedef void store_presence_names_fn(void *arg, enum err e, const struct span *names,
				     size_t n);
void store_presence_list(struct store *st, uint16_t edge, int64_t from,
			 store_presence_names_fn *fn, void *arg);

/* Connections of the edge that are in the channel, at most 500, in the order of their ids: those behind `after` (empty: from the first on). */
void store_presence_ids(struct store *st, struct span channel, uint16_t edge,
			struct span after, store_presence_names_fn *fn, void *arg);

/* No connection of the dead edge is in this channel any more. */
void store_presence_unlist(struct store *st, uint16_t edge, struct span channel,
			   store_done_fn *fn, void *arg);

/* Channels with a grace that is over, claimed for claim_ms; none when it failed. */
struct presence_due {
	struct span channel;
	struct span claim; /* for store_presence_done */
};
typedef void store_presence_due_fn(void *arg, enum err e, const struct presence_due *due,
				   size_t n);
void store_presence_claim(struct store *st, int64_t claim_ms, store_presence_due_fn *fn,
			  void *arg);

/* The claimed channel was expired; due_ms: as store_presence_expire gave it. */
void store_presence_done(struct store *st, const struct presence_due *due, int64_t due_ms,
			 store_done_fn *fn, void *arg);

#endif
