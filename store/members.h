#ifndef STORE_MEMBERS_H
#define STORE_MEMBERS_H

/* The live brokers, and the cluster's id. */

#include "base/span.h"
#include "store/store.h"

struct member {
	struct span name;     /* "broker-0" */
	struct span boot;     /* one run of it */
	struct span endpoint; /* "tcp://10.0.0.7:7000", where edges connect */
	struct span edges; /* those linked to it, as its broker wrote them; empty: none */
	/* Of self alone. */
	int64_t beat;        /* number of this one, from 1 */
	int64_t answered;    /* the last one that was answered; 0: none */
	struct span cluster; /* the id in that answer */
};

enum { MEMBERS_CLUSTER = 64 }; /* room for a cluster id */

struct members_view {
	const struct member
		*members; /* the asker among them, in the order of their boot ids */
	size_t n;
	struct span
		cluster; /* id of this memory: another one than before means that Redis may have lost some */
	int64_t age_ms; /* of that id, by Redis's clock */
};

/*
 * Renew self for another ttl_ms (by Redis's clock), and get all live members.
 *
 * The cluster id is made anew when there is none: Redis has lost its memory. When Redis is
 * another process than the one that had it (a restart, a failover), which may lack what was
 * written last, it gets another ending, behind a point, which no id has had before. So it does when
 * Redis has an older beat of self than the last one that was answered: its data have gone back.
 *
 * proposed  the cluster id, should one be needed
 * fn        view is NULL unless OK
 */
typedef void store_members_fn(void *arg, enum err e, const struct members_view *view);
void store_members_beat(struct store *st, const struct member *self, const char *proposed,
			int64_t ttl_ms, store_members_fn *fn, void *arg);

/* Leave before the time. fn: OK; ERR_NOTFOUND when it was not (or no longer) there. */
void store_members_leave(struct store *st, struct span boot, store_done_fn *fn,
			 void *arg);

#endif
