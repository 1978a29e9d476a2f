#ifndef BASE_LOOP_H
#define BASE_LOOP_H

/*
 * One thread's event loop: libevent, plus the end of each turn. A turn is: wait,
 * run the callbacks of all that was ready, run the turn hooks. What a turn has
 * produced for one peer is sent by its hook as one batch, without waiting for more.
 *
 * Functions of a loop are called on its own thread only.
 */

#include <event2/event.h>
#include <stdint.h>

struct loop;
typedef void loop_fn(void *arg);

struct loop *loop_new(void);
void loop_free(struct loop *l); /* NULL is fine; runs what was deferred first */

/* libevent's own handle, for hiredis, libcurl and the like. */
struct event_base *loop_base(struct loop *l);

/* Call fn(arg) at the end of each turn, in the order of adding. At most 8 hooks. */
void loop_at_turn_end(struct loop *l, loop_fn *fn, void *arg);

/* Call fn(arg) once, after the callbacks and the hooks of this turn: the place to free what is finished. */
void loop_defer(struct loop *l, loop_fn *fn, void *arg);

/* Call fn(arg) on SIGTERM and SIGINT, each time one comes; SIGPIPE is ignored from loop_new on. */
void loop_on_signal(struct loop *l, loop_fn *fn, void *arg);

/* Call fn(arg) on SIGHUP, each time one comes. Several may be added. */
void loop_on_reload(struct loop *l, loop_fn *fn, void *arg);

/* For a process without anything to reload: SIGHUP, which would end it, is logged and ignored. */
void loop_ignore_reload(struct loop *l);

/* Run until loop_stop. */
void loop_run(struct loop *l);

/* Let loop_run return at the end of this turn. */
void loop_stop(struct loop *l);

/* Milliseconds of clock_ms() of this turn: the clock is read when the first asks. */
int64_t loop_now(struct loop *l);

/* A timer of this loop. */
struct timer;
struct timer *timer_new(struct loop *l, loop_fn *fn, void *arg);
void timer_free(struct timer *t); /* NULL is fine; from inside its own callback too */

/* Call fn once in ms (0: next turn); a timer that runs already is set anew. */
void timer_after(struct timer *t, int64_t ms);

/* Call fn each ms, until stopped. */
void timer_every(struct timer *t, int64_t ms);
void timer_stop(struct timer *t);

#endif
