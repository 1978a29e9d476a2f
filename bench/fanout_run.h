#ifndef BENCH_FANOUT_RUN_H
#define BENCH_FANOUT_RUN_H

/*
 * A run: connect all, subscribe the subscribers, publish with so many in flight, close
 * all. Each step reads the sockets until it is done, nothing has come for the timeout, or
 * the deadline is reached.
 */

#include "bench/fanout_book.h"
#include "bench/fanout_plan.h"
#include "bench/histogram.h"

struct fanout_run;

/* plan must outlive it. */
struct fanout_run *fanout_run_new(const struct fanout_plan *plan);
void fanout_run_free(struct fanout_run *r);

/* The steps, in this order. False when a step did not come to its end. */
bool fanout_run_connect(
	struct fanout_run *r); /* and the answer to a ping, if the plan wants it */
bool fanout_run_subscribe(struct fanout_run *r);
bool fanout_run_publish(struct fanout_run *r, int64_t publications);
bool fanout_run_close(struct fanout_run *r);

/* Read what comes for so long; between the steps. */
void fanout_run_wait(struct fanout_run *r, int64_t ms);

/* Measure from here on: forget the times of the deliveries before. */
void fanout_run_begin_times(struct fanout_run *r);

/* From sent to received, of each delivery. */
const struct histogram *fanout_run_times(const struct fanout_run *r);
struct fanout_book *fanout_run_book(struct fanout_run *r);

#endif
