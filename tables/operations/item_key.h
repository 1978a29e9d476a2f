#ifndef TABLES_ITEM_KEY_H
#define TABLES_ITEM_KEY_H

/* Are the keys of an item those of its table and its indexes? */

#include "tables/store/place.h"

/*
 * The keys in a whole item that is put.
 *
 * returns  OK, or ERR_MALFORMED: no is filled
 */
must_use enum err item_key_check_item(struct arena *a, const struct table *t,
				      const struct value_map *item, struct refusal *no);

/* A key alone, which has nothing else in it: "The provided key element does not match the schema". */
must_use enum err item_key_check(struct arena *a, const struct table *t,
				 const struct value_map *key, struct refusal *no);

/* The keys of the indexes in an item that will be written: those that it has must have the right type. */
must_use enum err item_key_check_indexes(struct arena *a, const struct table *t,
					 const struct value_map *item,
					 struct refusal *no);

/* The key attributes of an item alone. index: and those of the index; NULL: of the table. */
struct value_map item_key_of(struct arena *a, const struct table *t,
			     const struct table_index *index,
			     const struct value_map *item);

extern const char item_key_no_match[];

#endif
