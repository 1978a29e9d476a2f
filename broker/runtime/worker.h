#ifndef BROKER_RUNTIME_WORKER_H
#define BROKER_RUNTIME_WORKER_H

/*
 * What the parts of a runtime share: runtime.c has the invocations, worker.c the
 * workers, and api.c speaks HTTP with them.
 */

#include "broker/runtime/runtime.h"
#include "broker/runtime/counts.h"
#include "broker/runtime/shares.h"

#include <sys/queue.h>

struct http_request;

enum { INVOCATION_ID = 64 };

struct invocation {
	TAILQ_ENTRY(invocation) next; /* among those that wait, or that run */
	struct share share;
	uint8_t client[SHARE_KEY]; /* the client of the event */
	size_t client_n;
	struct runtime *runtime;
	struct worker *
		worker; /* runs it; NULL: it waits, or cannot be seen (struct worker: roams) */
	bool is_running;
	bool may_repeat;
	char id[INVOCATION_ID];
	char *arn;
	struct blob *event;
	int64_t timeout_ms;
	int64_t deadline_ms; /* running: since 1970 */
	int64_t asked_us;
	struct timer *timer;
	runtime_fn *fn;
	void *arg;
};

/* A connection that has polled. */
struct worker {
	TAILQ_ENTRY(worker) next;    /* among all of the runtime */
	TAILQ_ENTRY(worker) waiting; /* among those that poll, when poll is there */
	struct runtime *runtime;
	struct http_request *poll;     /* that is to be answered with an invocation */
	struct invocation *invocation; /* that it runs */
	uint16_t port;                 /* its own */
	bool roams; /* it opens a connection for each request: the end of one means nothing */
	bool has_worked;          /* it was given an invocation */
	char late[INVOCATION_ID]; /* the invocation that timed out */
};

TAILQ_HEAD(workers, worker);
TAILQ_HEAD(invocations, invocation);

struct runtime {
	struct loop *loop;
	struct runtime_api *api;
	char *function;
	int64_t queue, wait_ms;
	struct workers workers, polling;
	int64_t n_workers, n_polling;
	struct invocations waiting, running;
	struct shares *shares; /* the order of clients */
	int64_t n_waiting, n_running;
	char *cannot_start; /* why no worker is there; NULL: not known */
	bool is_freed;
	struct runtime_counts counts;
};

/* worker.c, for api.c */

/* A worker polls: it gets an invocation, now or later. Takes w when it is new. */
void runtime_worker_polls(struct runtime *r, struct worker *w);

/* Its connection has ended, or was freed; frees w. */
void runtime_worker_lost(struct worker *w);

/* A worker could not load the function. why is a sentence. */
void runtime_cannot_start(struct runtime *r, const char *why);

/* It "polls" for the first time, "works" for the first time, or is "overdue": reported to the supervisor, which finds the process by its port. */
void runtime_notify(const struct worker *w, const char *what);

/* runtime.c, for the others */

/* The invocation that an answer with this id is for; NULL: none, or it comes too late. w: the worker that answers, NULL: another connection. */
struct invocation *runtime_find(const struct runtime *r, struct worker *w,
				struct span id);

/* It is over. Frees i, then calls its fn. */
void runtime_end(struct invocation *i, const struct result *r);

const char *runtime_function(const struct runtime *r);

void runtime_fail(struct invocation *i, enum result_kind kind, const char *why);

/* Workers that poll get what waits, as far as its turn has come. */
void runtime_dispatch(struct runtime *r);

/* i is in no list: it waits, as the first or the last; runtime_dispatch is to follow. */
void runtime_enqueue(struct invocation *i, bool first);

/* Take it out of the list that it is in, and from its worker. */
void runtime_dequeue(struct invocation *i);

void runtime_recount(struct runtime *r);

/* api.c, for the others */

struct runtime_api;

/* NULL after an error line. */
struct runtime_api *runtime_api_new(struct runtime *r, struct loop *l,
				    const char *address);
void runtime_api_free(
	struct runtime_api *a); /* NULL is fine; every worker is lost by it */
const char *runtime_api_address(const struct runtime_api *a);

/* Answer the poll of w with its invocation. */
void runtime_api_send(struct worker *w);

#endif
