#ifndef BROKER_CLUSTER_FENCES_H
#define BROKER_CLUSTER_FENCES_H

/*
 * Which numbers were taken from which boots of edges, as far as this broker has heard. The
 * store has them too, as owners behind "reaped:", but it may lose its memory, and an edge
 * that was only stopped may come back just then. Its clients have had their disconnects.
 * All are written to a store with another cluster id, at the next beat of members.
 */

#include "base/span.h"
#include "broker/cluster/members.h"

struct fences;

/* st and m are borrowed until members_free. */
struct fences *fences_new(struct store *st, struct members *m);
void fences_free(struct fences *f); /* NULL is fine; no beat may come after that */

/* The number was taken from this boot. The last 1,024 are remembered. */
void fences_add(struct fences *f, uint16_t number, struct span boot);

/* Was it? The same boot may have another number by now. */
bool fences_contain(const struct fences *f, uint16_t number, const char *boot);

#endif
