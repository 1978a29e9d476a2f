#include "tables/store/keys.h"

#include <assert.h>
#include <stdio.h>

static struct span written(int n, char out[TABLE_KEY_TEXT])
{
	assert(n > 0 && n < TABLE_KEY_TEXT);
	return span_of(out, (size_t)n);
}

static struct span catalog_key(const char *prefix, const char *what, char *out)
{
	return written(snprintf(out, TABLE_KEY_TEXT, "%s{t}:%s", prefix, what), out);
}

static struct span item_key(const char *prefix, const char *id, unsigned shard,
			    const char *what, char *out)
{
	return written(
		snprintf(out, TABLE_KEY_TEXT, "%s{%s:%u}:%s", prefix, id, shard, what),
		out);
}

struct span table_key_tables(const char *prefix, char out[TABLE_KEY_TEXT])
{
	return catalog_key(prefix, "tables", out);
}

struct span table_key_dropped(const char *prefix, char out[TABLE_KEY_TEXT])
{
	return catalog_key(prefix, "dropped", out);
}

struct span table_key_keeper(const char *prefix, char out[TABLE_KEY_TEXT])
{
	return catalog_key(prefix, "keeper", out);
}

struct span table_key_token(const char *prefix, const char *token,
			    char out[TABLE_KEY_TEXT])
{
	return written(snprintf(out, TABLE_KEY_TEXT, "%s{t}:token:%s", prefix, token),
		       out);
}

struct span table_key_items(const char *prefix, const char *id, unsigned shard,
			    char out[TABLE_KEY_TEXT])
{
	return item_key(prefix, id, shard, "items", out);
}

struct span table_key_order(const char *prefix, const char *id, unsigned shard,
			    char out[TABLE_KEY_TEXT])
{
	return item_key(prefix, id, shard, "order", out);
}

struct span table_key_expiry(const char *prefix, const char *id, unsigned shard,
			     char out[TABLE_KEY_TEXT])
{
	return item_key(prefix, id, shard, "expiry", out);
}

struct span table_key_locks(const char *prefix, const char *id, unsigned shard,
			    char out[TABLE_KEY_TEXT])
{
	return item_key(prefix, id, shard, "locks", out);
}

struct span table_key_index(const char *prefix, const char *id, unsigned shard,
			    uint32_t number, char out[TABLE_KEY_TEXT])
{
	return written(snprintf(out, TABLE_KEY_TEXT, "%s{%s:%u}:index:%u", prefix, id,
				shard, number),
		       out);
}
