#ifndef TABLES_KEYS_H
#define TABLES_KEYS_H

/*
 * Every key of tables in Redis and how long it lives, on one page.
 *
 *   key                          type    lives until
 *   {prefix}{t}:tables           HASH    its last table is deleted; field: table name, value: the id T, ":", its generation, ":", the definition as JSON
 *   {prefix}{t}:dropped          HASH    the keys behind it are removed; field: an id T, or T and the number of an index: "abcdefgh:3",
 *                                        value: when it was dropped, in ms (or made, for a table that is being created)
 *   {prefix}{t}:keeper           STRING  its lease expires (PX); value: the boot id of the broker that removes expired items and dropped tables
 *   {prefix}{t}:token:TOKEN      STRING  10 minutes; a ClientRequestToken; value: the hash of its request
 *   {prefix}{T:S}:items          HASH    the table is deleted; field: stored key, value: version, expiry, size, JSON (items.h);
 *                                        field "": the table's generation, for as long as the table exists
 *   {prefix}{T:S}:order          ZSET    with its items; member: stored key, score: 0
 *   {prefix}{T:S}:expiry         ZSET    its last item with an expiry; member: stored key, score: expiry, in s
 *   {prefix}{T:S}:index:N        ZSET    its last entry; member: entry (key_text.h), score: 0; N: the number of the index
 *   {prefix}{T:S}:locks          HASH    its last lock is released, or expires; field: stored key, value: owner, ':', when it expires, in ms
 *
 * T is the id of a table, 8 characters, S its shard, 0 to 15. The braces stand in the key: what is inside is
 * Redis Cluster's hash tag, so that all keys of one item are on one node, and a script on an item stays there.
 */

#include "base/span.h"

#include <stdint.h>

enum {
	SHARDS = 16,
	TABLE_KEY_TEXT = 160, /* room for any key but a token's, and its zero */
};

/* Each writes the key into out, and returns it. prefix: at most KEYS_PREFIX_MAX (64) bytes. */
struct span table_key_tables(const char *prefix, char out[TABLE_KEY_TEXT]);
struct span table_key_dropped(const char *prefix, char out[TABLE_KEY_TEXT]);
struct span table_key_keeper(const char *prefix, char out[TABLE_KEY_TEXT]);
struct span table_key_token(const char *prefix, const char *token,
			    char out[TABLE_KEY_TEXT]);
struct span table_key_items(const char *prefix, const char *id, unsigned shard,
			    char out[TABLE_KEY_TEXT]);
struct span table_key_order(const char *prefix, const char *id, unsigned shard,
			    char out[TABLE_KEY_TEXT]);
struct span table_key_expiry(const char *prefix, const char *id, unsigned shard,
			     char out[TABLE_KEY_TEXT]);
struct span table_key_locks(const char *prefix, const char *id, unsigned shard,
			    char out[TABLE_KEY_TEXT]);
struct span table_key_index(const char *prefix, const char *id, unsigned shard,
			    uint32_t number, char out[TABLE_KEY_TEXT]);

#endif
