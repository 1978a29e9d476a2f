#ifndef BASE_RING_H
#define BASE_RING_H

/*
 * Rendezvous hashing: each key has one home among the members, every process that
 * knows the same members finds the same one, and when a member comes or goes only
 * the keys that it gains or loses move.
 */

#include <stddef.h>
#include <stdint.h>

struct ring;

struct ring *ring_new(void);
void ring_free(struct ring *r); /* NULL is fine; the members are the caller's */

/* Add a member under a number that all processes know it by; a number that is there gets the new value. */
void ring_put(struct ring *r, uint64_t node, void *member);

/* Take the member out; nothing happens when it is not in. */
void ring_remove(struct ring *r, uint64_t node);

/* The key's home: the member with the highest hash(node, key); NULL when the ring is empty. */
void *ring_pick(const struct ring *r, uint64_t key);

size_t ring_size(const struct ring *r);

/* Counts changes: as long as it stays the same, so do all homes. Begins at 1. */
uint32_t ring_version(const struct ring *r);

#endif
