#include "tables/store/place.h"

#include <assert.h>

static void append(struct arena *a, struct key *k, struct span bytes)
{
	if (k->room - k->n < bytes.n) {
		size_t room = 2 * k->n + bytes.n;
		uint8_t *p = arena_alloc(a, room);

		if (k->n > 0)
			memcpy(p, k->p, k->n);
		k->p = p;
		k->room = room;
	}
	memcpy(k->p + k->n, bytes.p, bytes.n);
	k->n += bytes.n;
}

struct key place_prefix(struct arena *a, const struct value *partition)
{
	uint64_t hash = key_hash(partition);
	struct key k = {.p = arena_alloc(a, 64), .room = 64};

	for (size_t i = 0; i < KEY_HASH; i++)
		k.p[k.n++] = (uint8_t)(hash >> (56 - 8 * i));
	key_append(a, &k, partition);
	return k;
}

unsigned place_shard(const struct value *partition)
{
	return (unsigned)(key_hash(partition) % SHARDS);
}

struct item_place place_of(struct arena *a, const struct table *t,
			   const struct value *partition, const struct value *sort)
{
	struct key k = place_prefix(a, partition);

	if (sort != NULL)
		key_append(a, &k, sort);
	return (struct item_place){t, place_shard(partition), span_of(k.p, k.n)};
}

struct item_place place_of_item(struct arena *a, const struct table *t,
				const struct value_map *item)
{
	const struct value *partition = value_find(item, t->keys.partition);
	const struct value *sort =
		t->keys.sort.n > 0 ? value_find(item, t->keys.sort) : NULL;

	assert(partition != NULL);
	return place_of(a, t, partition, sort);
}

bool place_entry(struct arena *a, const struct table_index *x,
		 const struct value_map *item, struct span stored_key, struct span *out)
{
	const struct value *partition = value_find(item, x->keys.partition);
	const struct value *sort =
		x->keys.sort.n > 0 ? value_find(item, x->keys.sort) : NULL;
	uint8_t length[2] = {(uint8_t)(stored_key.n >> 8), (uint8_t)stored_key.n};
	struct key k;

	if (partition == NULL || partition->type != x->keys.partition_type ||
	    (x->keys.sort.n > 0 && (sort == NULL || sort->type != x->keys.sort_type)))
		return false;
	k = place_prefix(a, partition);
	if (sort != NULL)
		key_append(a, &k, sort);
	append(a, &k, stored_key);
	append(a, &k, span_of(length, sizeof length));
	*out = span_of(k.p, k.n);
	return true;
}
