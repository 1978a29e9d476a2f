#include "base/map.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

/*
 * Entries stand in an array in the order of their coming; a removal leaves a hole
 * (value NULL) there, so that a walk by position is not disturbed. Beside it is a
 * table of positions, probed linearly, without tombstones: a removal closes the gap.
 */
struct entry {
	struct span key;
	void *value;
	uint64_t hash;
};

struct map {
	struct entry *entries;
	uint32_t *table; /* position + 1; 0 is free */
	size_t used;     /* entries written, holes among them */
	size_t room;     /* entries allocated; a power of two */
	size_t mask;     /* slots of the table - 1; twice the room */
	size_t size;
	uint64_t seed;
};

enum { LEAST_ROOM = 8 };

struct map *map_new(void)
{
	struct map *m = xcalloc(1, sizeof *m);
	ssize_t n = getrandom(&m->seed, sizeof m->seed, 0);

	assert(n == sizeof m->seed);
	return m;
}

void map_free(struct map *m)
{
	if (!m)
		return;
	free(m->entries);
	free(m->table);
	free(m);
}

size_t map_size(const struct map *m)
{
	return m->size;
}

static uint64_t hash_of(const struct map *m, struct span key)
{
	return XXH3_64bits_withSeed(key.p, key.n, m->seed);
}

/* The slot where key stands, or the free one where it would be put. */
static size_t slot_of(const struct map *m, struct span key, uint64_t hash)
{
	size_t i = hash & m->mask;

	for (; m->table[i]; i = (i + 1) & m->mask) {
		const struct entry *e = &m->entries[m->table[i] - 1];

		if (e->hash == hash && span_eq(e->key, key))
			break;
	}
	return i;
}

void *map_find(const struct map *m, struct span key)
{
	if (m->size == 0)
		return NULL;

	uint32_t at = m->table[slot_of(m, key, hash_of(m, key))];

	return at ? m->entries[at - 1].value : NULL;
}

/* Leave out the holes, and have as much room again as there are entries. */
static void rebuild(struct map *m)
{
	size_t room = LEAST_ROOM;

	while (room < m->size * 2)
		room *= 2;
	assert(room < UINT32_MAX);

	struct entry *old = m->entries;
	size_t used = m->used;

	free(m->table);
	m->entries = xcalloc(room, sizeof *m->entries);
	m->table = xcalloc(room * 2, sizeof *m->table);
	m->room = room;
	m->mask = room * 2 - 1;
	m->used = 0;
	for (size_t i = 0; i < used; i++) {
		if (!old[i].value)
			continue;
		m->entries[m->used++] = old[i];
		m->table[slot_of(m, old[i].key, old[i].hash)] = (uint32_t)m->used;
	}
	free(old);
}

void *map_put(struct map *m, struct span key, void *value)
{
	assert(value);
	if (m->used == m->room)
		rebuild(m);

	uint64_t hash = hash_of(m, key);
	size_t i = slot_of(m, key, hash);
	void *before = NULL;

	if (m->table[i]) {
		before = m->entries[m->table[i] - 1].value;
	} else {
		m->table[i] = (uint32_t)++m->used;
		m->size++;
	}
	m->entries[m->table[i] - 1] = (struct entry){key, value, hash};
	return before;
}

/* Move up what was pushed past slot i, until a free slot or an entry in its own place. */
static void close_gap(struct map *m, size_t i)
{
	for (size_t k = (i + 1) & m->mask; m->table[k]; k = (k + 1) & m->mask) {
		size_t home = m->entries[m->table[k] - 1].hash & m->mask;

		if (((k - home) & m->mask) < ((k - i) & m->mask))
			continue;
		m->table[i] = m->table[k];
		i = k;
	}
	m->table[i] = 0;
}

void *map_remove(struct map *m, struct span key)
{
	if (m->size == 0)
		return NULL;

	size_t i = slot_of(m, key, hash_of(m, key));

	if (!m->table[i])
		return NULL;

	struct entry *e = &m->entries[m->table[i] - 1];
	void *value = e->value;

	close_gap(m, i);
	*e = (struct entry){0};
	if (--m->size == 0)
		m->used = 0; /* nothing but holes: begin anew */
	return value;
}

void *map_next(const struct map *m, size_t *at)
{
	while (*at < m->used) {
		void *value = m->entries[(*at)++].value;

		if (value)
			return value;
	}
	return NULL;
}
