#ifndef BROKER_CHANNELS_DELIVERY_WAITING_H
#define BROKER_CHANNELS_DELIVERY_WAITING_H

/* Those that wait for the same condition, in the order in which they came, each for the same time at most. */

#include "base/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct waiting;

/* Called once; in_time: the condition holds. */
typedef void waiting_fn(void *arg, bool in_time);

/* ms: how long each waits; most: how many may wait. */
struct waiting *waiting_new(struct loop *l, int64_t ms, size_t most);

/* No fn is called any more. NULL is fine. */
void waiting_free(struct waiting *w);

/* False when too many wait: fn is not called then. */
bool waiting_add(struct waiting *w, waiting_fn *fn, void *arg);

size_t waiting_count(const struct waiting *w);

/* Release one after the other for as long as holds(arg); also those that are added meanwhile. */
void waiting_release(struct waiting *w, bool (*holds)(const void *arg), const void *arg);

#endif
