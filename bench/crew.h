#ifndef BENCH_CREW_H
#define BENCH_CREW_H

/* The generator's processes, kept in step by their parent. */

#include "base/err.h"
#include "bench/plan.h"
#include "bench/tally.h"
#include "bench/usage.h"

struct crew;

/*
 * Start the plan's processes; returns when all are ready. NULL after a line on stderr.
 *
 * t  gets the processes, under the role "load"
 */
struct crew *crew_new(const struct plan *p, struct usage_table *t);

/*
 * Let all take the next step (connect, talk, close), and wait until all are through.
 *
 * took_us  gets the time
 * returns  OK; ERR_DOWN after a line on stderr when a process ended, or the deadline passed
 */
must_use enum err crew_step(struct crew *c, int64_t *took_us);

/* What all have seen together. */
void crew_tally(const struct crew *c, struct tally *out);

/* Let the processes end, and wait for them. NULL is fine. */
void crew_free(struct crew *c);

#endif
