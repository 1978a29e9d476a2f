#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * A hash map from bytes to a pointer. Keys are borrowed for as long as their
 * entry stands: let them live inside the value. Hash: XXH3, seeded at random for
 * each process, so that no client can choose collisions.
 */

#include "base/span.h"

struct map;

struct map *map_new(void);

/* Frees the map, not the values. NULL is fine. */
void map_free(struct map *m);

/* The number of entries. */
size_t map_size(const struct map *m);

/* The value of key; NULL when there is none. */
void *map_find(const struct map *m, struct span key);

/* Add or replace; value is not NULL. Returns the value that was replaced, or NULL. */
void *map_put(struct map *m, struct span key, void *value);

/* Remove key; returns its value, or NULL when there was none. */
void *map_remove(struct map *m, struct span key);

/*
 * Walk over all values: start with *at = 0; NULL is the end. During a walk the
 * entry just returned may be removed; nothing else may change.
 */
void *map_next(const struct map *m, size_t *at);

#endif
