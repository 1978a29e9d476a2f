#ifndef TABLES_RANGE_H
#define TABLES_RANGE_H

/*
 * Items one after the other, over the shards: in the order of their stored keys in each shard,
 * one shard behind the other (Scan), or all shards merged by the order of entries (a Query of
 * an index). An item that stays is read exactly once, whatever is written meanwhile, and
 * the place behind an item is the item's own key.
 *
 *   range_fill --on_filled--> range_take … range_take is false --not range_is_over--> range_fill
 */

#include "tables/store/items.h"

struct range_bounds {
	struct span from,
		to; /* from is in it unless from_is_out, to is not; empty to: no end */
	bool from_is_out;
};

struct range_conf {
	const struct table *table;
	const struct table_index *index; /* NULL: the table itself */
	struct range_bounds bounds;
	bool is_backward;
	bool is_merged;
	bool needs_entries; /* of its rows; they have them always when it is merged */
	unsigned first_shard, last_shard; /* in this order also when it is backward */
	/* Where to go on: behind this stored key or entry, in this shard (all of them when merged). Empty: at the beginning. */
	struct span behind;
	unsigned behind_shard;
	size_t most;  /* about so many items will be taken: a hint */
	size_t bytes; /* or so many bytes of them */
};

struct range;

/* Lives in a. conf is copied, what it points to is borrowed. */
struct range *range_new(struct tables_store *st, struct arena *a,
			const struct range_conf *conf);

/* Read what comes next. ERR_AGAIN: as of items_get. */
typedef void range_fn(void *arg, enum err e);
void range_fill(struct range *r, range_fn *fn, void *arg);

struct range_row {
	struct span entry; /* if needed: stored key, or entry of the index */
	unsigned shard;
	struct item item;
};

/* The next item, borrowed until the arena ends. False: range_fill first, or it is over. */
bool range_take(struct range *r, struct range_row *out);

bool range_is_over(const struct range *r);

/* The bytes behind all those that begin with k: for range_bounds.to. Empty: there are none. */
struct span range_behind(struct arena *a, struct span k);

#endif
