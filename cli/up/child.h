#ifndef CLI_UP_CHILD_H
#define CLI_UP_CHILD_H

/*
 * One place in the household: its processes come and go, its name stays.
 *
 *   WAITING --start--> STARTING --ready--> READY
 *      ^                  |                  |
 *      '--exits, backoff--+------------------+   each --stop--> STOPPING --exits--> GONE
 *
 * Ready: it has reported READY=1, which our programs do when they can serve.
 *
 * What dies is started again, after 100 ms, 200 ms, … 5 s; ten seconds of life make the
 * next wait short again.
 *
 * A function's worker that was given something to do can start; what it dies of may be one
 * client's message, and the others' must not wait: the next one starts at once, though
 * never sooner than 200 ms after the last, so that a worker that dies of everything leaves
 * processors for others.
 *
 * A function's worker has nothing to do without its broker: it is held until it is placed
 * at one, and placed anew, in another process, when its broker or its configuration is
 * another one.
 */

#include "base/err.h"
#include "base/loop.h"

#include <stdbool.h>
#include <sys/types.h>

/* In the order of starting. */
enum role { ROLE_REDIS, ROLE_BROKER, ROLE_FUNCTION, ROLE_EDGE, ROLES };

enum child_state {
	CHILD_WAITING,
	CHILD_STARTING,
	CHILD_READY,
	CHILD_STOPPING,
	CHILD_GONE
};

struct child {
	enum role role;
	char *name; /* "edge-0" */
	enum child_state state;
	pid_t pid;        /* 0: none */
	bool was_started; /* this process or one before it */
	bool was_ready;   /* this process or one before it */
	bool is_held;     /* not to run for now */
	bool is_leaving;  /* not to run any more */
	int64_t stop_ms;  /* from SIGTERM to SIGKILL */

	/* What it reported; NULL until it has, and for Redis. */
	char *metrics;    /* "http://127.0.0.1:41231" */
	char *management; /* "127.0.0.1:8081,127.0.0.1:41233" */

	/* For child.c alone. */
	struct loop *loop;
	char **argv, **env;
	char *folder;
	bool json;
	bool ends_for_us; /* it was asked to end, to be held or started anew */
	bool has_worked;  /* this process was given something to do */
	struct lines *lines;
	char *if_missing;
	char *notify;
	int64_t started_ms;
	int64_t backoff_ms;
	struct timer *again;
};

enum { CHILD_STOP_MS = 10000 };

/* What it takes to start a child. */
struct child_plan {
	enum role role;
	const char *name; /* "edge-0" */
	char **argv; /* ended by NULL; child_new takes it, with its words (free(3)) */
	const char *if_missing; /* what to do when there is no such program */
	const char *notify;     /* path of the socket for sd_notify(3) */
	int64_t stop_ms; /* what it may take to end, if that is more than CHILD_STOP_MS */

	/* A function's worker alone. */
	char **env; /* "NAME=value", over ours; taken, as argv; NULL: ours as it is */
	const char *folder; /* where it runs */
	bool json;          /* its lines are log lines (lines.h) */
	bool is_held;       /* it is not started before it is placed; argv may be NULL */
};

/* "redis", "broker", "function", "edge" */
const char *role_name(enum role r);

/* A child that waits for its start. Copies the texts of the plan. */
struct child *child_new(struct loop *l, const struct child_plan *plan);

/* NULL is fine; kills what still runs. */
void child_free(struct child *c);

/*
 * Start its process.
 *
 * returns  OK, also when it cannot start now and will try again by itself; ERR_NOTFOUND,
 *          after an error line, when there is no such program and never was
 */
must_use enum err child_start(struct child *c);

/* It has reported READY=1; text is all of the datagram. */
void child_take_ready(struct child *c, const char *text);

/* A function's worker: its process was given something to do. */
void child_has_worked(struct child *c);

/* There is nothing for it to do: its process is asked to end, and no other one started. */
void child_hold(struct child *c);

/* It hangs: its process is killed, and another one started at once. */
void child_renew(struct child *c);

/*
 * What it runs from now on, at once; a process that runs is asked to end, and another one
 * follows. Takes both. Nothing changes when both are what they were.
 */
void child_place(struct child *c, char **argv, char **env);

/* Its process has ended and is to be followed by another: at once when we asked it to end or it has worked, else after a line and the backoff. */
void child_restart(struct child *c, int wait_status);

/* Ask it to end: SIGTERM. One that has no process is GONE. */
void child_stop(struct child *c);

/* SIGKILL. */
void child_kill(struct child *c);

/* Its process has ended for good. Returns false, after a warning, when it did not end well. */
bool child_take_end(struct child *c, int wait_status);

#endif
