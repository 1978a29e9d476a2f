#ifndef BROKER_CLUSTER_MEMBERS_H
#define BROKER_CLUSTER_MEMBERS_H

/*
 * The live brokers. Each renews its own entry in the store with a beat, and learns from
 * the list of live members, and which edges are linked to each. The same beat notices a
 * store that may have lost some of its memory.
 */

#include "base/loop.h"
#include "broker/cluster/edge_set.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct members;

struct members_row {
	char name[64];
	char endpoint[256];
	uint64_t boot;
};

struct members_conf {
	const char *name; /* of this broker; borrowed */
	uint64_t boot;
	int64_t member_ms; /* how long an entry lives without a beat */
};

/* Callbacks; NULL functions are not called. */
struct members_watcher {
	/* The set of live brokers is another one (members_rows). */
	void (*changed)(void *arg);
	/* The store has answered a beat (members_cluster). */
	void (*beat)(void *arg);
	/*
	 * The store has another cluster id than before: what was written last may be lost.
	 *
	 * left_behind  this broker may have written to the old memory while others had the new one
	 */
	void (*store_changed)(void *arg, bool left_behind);
};

/* loop and st are borrowed until members_free. */
struct members *members_new(struct loop *loop, struct store *st,
			    const struct members_conf *conf);

/* No watcher is called any more. NULL is fine. */
void members_free(struct members *m);

/* Call w's functions with arg, in the order of registration. Before members_start. */
void members_watch(struct members *m, const struct members_watcher *w, void *arg);

/* Begin to beat. endpoint: where edges connect to this broker; borrowed. */
void members_start(struct members *m, const char *endpoint);

/* Remove this broker's entry from the store, and stop beating. */
void members_leave(struct members *m);

/* The live brokers as of the last beat; borrowed until the next. */
const struct members_row *members_rows(const struct members *m, size_t *n);

/* Is this broker the home of the edge of this number? */
bool members_is_owner(const struct members *m, uint16_t edge);

/* Beat now, not only at the next interval. Nothing before members_start. */
void members_beat(struct members *m);

/* The same, but not closer to the last one than a tenth of the interval (100 ms); also when a beat is under way now, after it. */
void members_beat_soon(struct members *m);

/* An edge of this number is linked to this broker, or no more. The others hear of it soon. */
void members_link(struct members *m, uint16_t number, bool linked);

/* The edges that are linked to the other brokers, as of the last beat. */
const struct edge_set *members_linked(const struct members *m);

/* When the last beat that was answered was sent (loop_now); 0: none was. */
int64_t members_seen_ms(const struct members *m);

/* The time between two beats, of each broker. */
int64_t members_beat_ms(const struct members *m);

/* The id of the store's memory; "" before the first beat. */
const char *members_cluster(const struct members *m);

#endif
