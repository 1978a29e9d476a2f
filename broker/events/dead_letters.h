#ifndef BROKER_EVENTS_DEAD_LETTERS_H
#define BROKER_EVENTS_DEAD_LETTERS_H

/* How many disconnects are dead letters (parked), as a metric. */

#include "base/loop.h"
#include "base/metric.h"
#include "store/store.h"

struct dead_letters;

/* All three are borrowed until dead_letters_free. */
struct dead_letters *dead_letters_new(struct loop *l, struct store *st,
				      struct metrics *m);
void dead_letters_free(
	struct dead_letters *d); /* NULL is fine; the store answers no more */

#endif
