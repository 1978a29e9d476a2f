#ifndef BROKER_FENCES_H
#define BROKER_FENCES_H

/*
 * Which numbers were taken from which runs of edges, as far as this broker has heard: the store has them
 * too, as owners behind "reaped:", but it may lose its memory, and an edge that was only
 * stopped may come back just then. Its clients have had their disconnects.
 */

#include "base/span.h"
#include "broker/broker.h"

struct fences;

struct fences *fences_new(struct broker *b);
void fences_free(struct fences *f); /* NULL is fine */

/* The number was taken from this boot. Of the last 1,024 that is remembered. */
void fences_note(struct fences *f, uint16_t number, struct span boot);

/* Was it? The same boot may have another number by now. */
bool fences_have(const struct fences *f, uint16_t number, const char *boot);

/* Each beat: a memory of the store that has another id is told of all. */
void fences_tell(struct fences *f, const char *cluster);

#endif
