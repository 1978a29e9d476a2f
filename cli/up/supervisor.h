#ifndef CLI_UP_SUPERVISOR_H
#define CLI_UP_SUPERVISOR_H

/*
 * Children in ranks: Redis, brokers, workers of functions, edges. Each rank is started
 * when all of the one before it are ready, and stopped when all of the one after it have
 * ended. Edges do not wait for functions: one that cannot start is no reason to serve none.
 *
 * What dies is started again (child.h). What cannot work from the first stops all of it:
 * a program that is not there, a child that refuses its settings (exit status 2) before
 * it was ever ready, and a Redis that ends before it was ever ready. (Functions are
 * foreign programs: they are always restarted.)
 */

#include "cli/up/child.h"

struct supervisor;

struct supervisor_watch {
	void (*on_ready)(
		void *arg); /* all are ready: after the start, and after each restart */
	void (*on_stopped)(void *arg); /* the last child has ended; called once */
	void (*on_told)(void *arg, struct child *c,
			const char *text); /* by sd_notify(3) */
	void (*on_gone)(void *arg,
			struct child *c); /* it has ended, and is to be started again */
	void *arg;
};

/*
 * folder   where the socket of sd_notify(3) is made; ours alone
 * returns  NULL with errno set when the socket cannot be made
 */
struct supervisor *supervisor_new(struct loop *l, const char *folder,
				  const struct supervisor_watch *watch);

/* NULL is fine; kills what still runs. */
void supervisor_free(struct supervisor *s);

/*
 * Add a child: before the start, or one that is held.
 *
 * plan  as for child_new, but for notify, which is the supervisor's
 */
struct child *supervisor_add(struct supervisor *s, struct child_plan plan);

/* Stop a function's worker for good, and forget it: c is gone soon. */
void supervisor_remove(struct supervisor *s, struct child *c);

/* One that does not report by itself is ready. */
void supervisor_ready(struct supervisor *s, struct child *c);

void supervisor_start(struct supervisor *s);

/* SIGTERM to all, rank by rank, each with 10 s or the longest stop_ms in it to end before SIGKILL; asked again: SIGKILL at once. */
void supervisor_stop(struct supervisor *s);

/* 0; or the status to end with: 2 when a child refused its settings, 1 when one would not start, or end well. */
int supervisor_status(const struct supervisor *s);

/* Walk over the children in the order of adding: start with *at = 0; NULL is the end. */
const struct child *supervisor_next(const struct supervisor *s, size_t *at);

/* A child that is not ready; NULL when all are. */
const struct child *supervisor_missing(const struct supervisor *s);

#endif
