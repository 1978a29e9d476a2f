#ifndef TABLES_PLACE_H
#define TABLES_PLACE_H

/*
 * Where an item is: its shard, and the bytes that order it there.
 *
 *   stored key   4 bytes of the hash of the partition key, partition key, sort key (value/key.h)
 *   entry        the same of the keys of an index, then the stored key of the item and its length in 2 bytes
 *
 * The hash spreads a Scan over the partitions in an order that stays, and divides it into segments.
 */

#include "tables/store/keys.h"
#include "tables/store/schema.h"
#include "tables/value/key.h"

struct item_place {
	const struct table *table; /* borrowed */
	unsigned shard;
	struct span key; /* stored key */
};

/* sort: NULL when the table has no sort key */
struct item_place place_of(struct arena *a, const struct table *t,
			   const struct value *partition, const struct value *sort);

/* The same of an item, whose keys have been checked. */
struct item_place place_of_item(struct arena *a, const struct table *t,
				const struct value_map *item);

/* What begins the stored keys, or the entries, of one partition. */
struct key place_prefix(struct arena *a, const struct value *partition);

/* The shard of a partition of the table. */
unsigned place_shard(const struct value *partition);

/*
 * The entry of an item in an index.
 *
 * returns  false: it has no entry, since a key of the index is absent, or (in an item that is older than the
 *          index) of another type
 */
bool place_entry(struct arena *a, const struct table_index *x,
		 const struct value_map *item, struct span stored_key, struct span *out);

#endif
