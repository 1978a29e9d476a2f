#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

/*
 * The open file descriptors of this process, and a log line when they run short: others
 * then fail in ways that do not name the cause (libzmq's accept, for one, spins).
 */

#include "base/loop.h"

/* How many are open. */
int64_t descriptors_open(void);

/* How many may be: the soft limit. */
int64_t descriptors_limit(void);

struct descriptors;

/* Compare the two each ms; a warning when nine tenths are open, and again each minute. */
struct descriptors *descriptors_watch(struct loop *l, int64_t ms);
void descriptors_free(struct descriptors *d); /* NULL is fine */

#endif
