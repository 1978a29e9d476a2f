#include "tables/operations/turns.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct turns {
	struct map *keys;
};

/* An item that is being written. */
struct turns_key {
	TAILQ_HEAD(, turn) queue; /* the first one has its turn */
	size_t n;
	uint8_t bytes[];
};

struct turns *turns_new(void)
{
	struct turns *t = xcalloc(1, sizeof *t);

	t->keys = map_new();
	return t;
}

void turns_free(struct turns *t)
{
	struct turns_key *k;
	size_t at = 0;

	if (t == NULL)
		return;
	while ((k = map_next(t->keys, &at)) != NULL) {
		map_remove(t->keys, span_of(k->bytes, k->n));
		free(k);
	}
	map_free(t->keys);
	free(t);
}

static struct turns_key *key_new(const struct item_place *place)
{
	size_t n = TABLE_ID + place->key.n;
	struct turns_key *k = xmalloc(sizeof *k + n);

	TAILQ_INIT(&k->queue);
	k->n = n;
	memcpy(k->bytes, place->table->id, TABLE_ID);
	memcpy(k->bytes + TABLE_ID, place->key.p, place->key.n);
	return k;
}

bool turns_begin(struct turns *t, const struct item_place *place, struct turn *turn,
		 void (*fn)(void *arg), void *arg)
{
	struct turns_key *mine = key_new(place), *k;
	struct span name = span_of(mine->bytes, mine->n);

	k = map_find(t->keys, name);
	if (k == NULL) {
		k = mine;
		map_put(t->keys, name, k);
	} else {
		free(mine);
	}
	turn->key = k;
	turn->fn = fn;
	turn->arg = arg;
	TAILQ_INSERT_TAIL(&k->queue, turn, next);
	return TAILQ_FIRST(&k->queue) == turn;
}

void turns_end(struct turns *t, struct turn *turn)
{
	struct turns_key *k = turn->key;
	struct turn *first;

	if (k == NULL)
		return;
	assert(TAILQ_FIRST(&k->queue) == turn);
	TAILQ_REMOVE(&k->queue, turn, next);
	turn->key = NULL;
	first = TAILQ_FIRST(&k->queue);
	if (first != NULL) {
		first->fn(first->arg);
		return;
	}
	map_remove(t->keys, span_of(k->bytes, k->n));
	free(k);
}
