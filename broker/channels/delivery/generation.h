#ifndef BROKER_CHANNELS_DELIVERY_GENERATION_H
#define BROKER_CHANNELS_DELIVERY_GENERATION_H

/*
 * The generation of the store (members_cluster), which every question about a position
 * carries. After a connection to the store has come up, it is sure only once a beat was
 * answered on it: until then this Redis may be another one, without the last writes.
 */

#include "broker/cluster/members.h"

struct generation;

/* All of it is borrowed until generation_free. Before members_start. */
struct generation *generation_new(struct loop *l, struct store *st, struct members *m);

/* No fn is called any more. NULL is fine. */
void generation_free(struct generation *g);

/*
 * Wait for the generation, in the order of asking.
 *
 * fn  generation is borrowed until fn returns; NULL: it is not known within 1 s, or the
 *     store has been unreachable for that long already. Called once, perhaps before this returns
 */
typedef void generation_fn(void *arg, const char *generation);
void generation_get(struct generation *g, generation_fn *fn, void *arg);

/* A few random characters for the end of an epoch, should one begin. */
enum { GENERATION_PROPOSED = 6 /* with the zero */ };
const char *generation_proposed(struct generation *g, char out[GENERATION_PROPOSED]);

#endif
