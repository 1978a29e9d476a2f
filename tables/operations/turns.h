#ifndef TABLES_TURNS_H
#define TABLES_TURNS_H

/*
 * One write at a time for each item, within a broker: those that read an item before they write it
 * come one after the other, in the order in which they began. So only writes of other brokers
 * can come in between, and none is starved by its neighbours.
 */

#include "tables/store/place.h"

#include <sys/queue.h>

struct turns;
struct turns_key;

/* A member of what waits. */
struct turn {
	TAILQ_ENTRY(turn) next;
	struct turns_key *key; /* NULL: it neither waits nor has a turn */
	void (*fn)(void *arg);
	void *arg;
};

struct turns *turns_new(void);

/* Those that wait are not called any more. NULL is fine. */
void turns_free(struct turns *t);

/* True: it is its turn now. False: fn(arg) is called when it is, from inside turns_end of another. */
bool turns_begin(struct turns *t, const struct item_place *place, struct turn *turn,
		 void (*fn)(void *arg), void *arg);

/* The next one's turn begins. Does nothing when this one has none. */
void turns_end(struct turns *t, struct turn *turn);

#endif
