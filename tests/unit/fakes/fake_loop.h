#ifndef TESTS_UNIT_FAKES_FAKE_LOOP_H
#define TESTS_UNIT_FAKES_FAKE_LOOP_H

/*
 * In place of base/loop.c and base/clock.c: timers on a clock that the test moves. So a test
 * of ten seconds takes no time, and ends the same way each time.
 */

#include "base/loop.h"

#include <stdbool.h>

/* Let ms pass; timers that come due are called in their order, each followed by the end of a turn. */
void fake_loop_run(struct loop *l, int64_t ms);

/* Let ms pass in which this process does not run: no timer is called until the next fake_loop_run. */
void fake_loop_stop_for(int64_t ms);

/* SIGHUP comes. */
void fake_loop_reload(struct loop *l);

/* One turn, in which no time passes: what descriptors are ready for, the hooks, and what was deferred. */
void fake_loop_turn(struct loop *l);

/* Was loop_stop called? */
bool fake_loop_is_stopped(const struct loop *l);

#endif
