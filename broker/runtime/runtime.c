/*
 * An invocation, in the order of happening:
 *
 *   runtime_invoke   it waits for its turn
 *   runtime_worker_polls    a worker is free
 *   runtime_dispatch the next client's turn
 *   give             it runs, and its time with it
 *   runtime_end      answered, by api.c
 *   on_time          timeout; or no worker has polled for it
 *   runtime_worker_lost     the worker has died
 */
#include "broker/runtime/runtime.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/runtime/worker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WHY_TEXT = 400 };

static void on_time(void *arg);
static void free_now(void *arg);

struct runtime *runtime_new(struct loop *l, struct metrics *m,
			    const struct runtime_conf *conf)
{
	struct runtime *r = xcalloc(1, sizeof *r);

	r->loop = l;
	r->function = xstrdup(conf->function);
	r->queue = conf->queue;
	r->wait_ms = conf->wait_ms;
	TAILQ_INIT(&r->workers);
	TAILQ_INIT(&r->polling);
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->running);
	r->shares = shares_new();
	runtime_counts_make(&r->counts, m, r->function);
	r->api = runtime_api_new(r, l, conf->address);
	if (r->api == NULL) {
		free_now(r);
		return NULL;
	}
	log_info("runtime.listen", S("function", r->function),
		 S("address", runtime_address(r)));
	return r;
}

void runtime_recount(struct runtime *r)
{
	metric_set(r->counts.workers, r->n_workers);
	metric_set(r->counts.polling, r->n_polling);
	metric_set(r->counts.waiting, r->n_waiting);
}

const char *runtime_address(const struct runtime *r)
{
	return runtime_api_address(r->api);
}

const char *runtime_function(const struct runtime *r)
{
	return r->function;
}

/* The end of it all. */

static void invocation_free(struct invocation *i)
{
	timer_free(i->timer);
	blob_unref(i->event);
	free(i->arn);
	free(i);
}

static void free_all(struct invocations *list)
{
	for (struct invocation *i; (i = TAILQ_FIRST(list)) != NULL;) {
		TAILQ_REMOVE(list, i, next);
		if (i->worker != NULL)
			i->worker->invocation = NULL;
		shares_leave(i->runtime->shares, &i->share);
		invocation_free(i);
	}
}

void runtime_free(struct runtime *r)
{
	if (r == NULL || r->is_freed)
		return;
	r->is_freed = true;
	free_all(&r->waiting);
	free_all(&r->running);
	loop_defer(r->loop, free_now, r); /* we may be inside a callback of its own */
}

static void free_now(void *arg)
{
	struct runtime *r = arg;

	runtime_api_free(r->api);
	r->n_waiting = 0;
	runtime_recount(r);
	shares_free(r->shares);
	free(r->cannot_start);
	free(r->function);
	free(r);
}

/* Invocations. */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct invocation *invocation_new(struct runtime *r,
					 const struct runtime_request *q)
{
	struct invocation *i = xcalloc(1, sizeof *i);

	i->runtime = r;
	snprintf(i->id, sizeof i->id, "%s", q->id);
	i->arn = xstrdup(q->arn);
	i->event = q->event;
	i->timeout_ms = q->timeout_ms;
	i->may_repeat = q->again;
	i->share.owner = i;
	assert(q->client.n <= sizeof i->client);
	i->client_n = q->client.n;
	memcpy(i->client, q->client.p, q->client.n);
	i->asked_us = now_us();
	i->timer = timer_new(r->loop, on_time, i);
	return i;
}

/* How many may wait, this one among them. */
static int64_t queue_for(const struct invocation *i)
{
	int64_t all = i->runtime->queue;

	return shares_is_only(&i->share) ? all : all - all / 2;
}

void runtime_invoke(struct runtime *r, const struct runtime_request *q, runtime_fn *fn,
		    void *arg)
{
	struct invocation *i = invocation_new(r, q);

	i->fn = fn;
	i->arg = arg;
	metric_add(r->counts.invocations, 1);
	runtime_enqueue(i, false);
	runtime_dispatch(r);
	if (i->is_running)
		return;
	if (r->cannot_start != NULL && r->n_workers == 0)
		runtime_fail(i, RESULT_FAILED, r->cannot_start);
	else if (r->n_waiting > queue_for(i))
		runtime_fail(i, RESULT_THROTTLED,
			     "too many invocations wait for a worker");
}

void runtime_enqueue(struct invocation *i, bool first)
{
	struct runtime *r = i->runtime;

	if (first)
		TAILQ_INSERT_HEAD(&r->waiting, i, next);
	else
		TAILQ_INSERT_TAIL(&r->waiting, i, next);
	shares_wait(r->shares, &i->share, span_of(i->client, i->client_n), first);
	r->n_waiting++;
	timer_after(i->timer, r->wait_ms);
	runtime_recount(r);
}

void runtime_dequeue(struct invocation *i)
{
	struct runtime *r = i->runtime;

	if (i->is_running) {
		TAILQ_REMOVE(&r->running, i, next);
		r->n_running--;
	} else {
		TAILQ_REMOVE(&r->waiting, i, next);
		r->n_waiting--;
	}
	shares_leave(r->shares, &i->share);
	if (i->worker != NULL)
		i->worker->invocation = NULL;
	i->worker = NULL;
	runtime_recount(r);
}

static void assign(struct worker *w, struct invocation *i)
{
	struct runtime *r = i->runtime;

	TAILQ_REMOVE(&r->polling, w, waiting);
	r->n_polling--;
	TAILQ_REMOVE(&r->waiting, i, next);
	r->n_waiting--;
	shares_begin(r->shares, &i->share);
	TAILQ_INSERT_TAIL(&r->running, i, next);
	r->n_running++;
	i->is_running = true;
	i->worker = w;
	i->deadline_ms = clock_wall_ms() + i->timeout_ms;
	w->invocation = i;
	timer_after(i->timer, i->timeout_ms);
	runtime_recount(r);
	if (!w->has_worked && !w->roams)
		runtime_notify(w, "works"); /* before it can die of it */
	w->has_worked = true;
	runtime_api_send(w);
}

/* May a client have another worker, beside those that it has? */
static bool has_more(const struct runtime *r)
{
	int64_t all = r->n_polling + r->n_running;
	int64_t kept = all / 4;

	if (kept == 0 && all > 1)
		kept = 1;
	return r->n_polling > kept;
}

void runtime_dispatch(struct runtime *r)
{
	struct worker *w;
	struct share *s;

	while ((w = TAILQ_FIRST(&r->polling)) != NULL &&
	       (s = shares_next(r->shares, has_more(r))) != NULL)
		assign(w, s->owner);
}

void runtime_end(struct invocation *i, const struct result *r)
{
	struct runtime *of = i->runtime;
	runtime_fn *fn = i->fn;
	void *arg = i->arg;

	metric_add(of->counts.seconds, now_us() - i->asked_us);
	metric_add(of->counts.failed[r->kind], 1);
	runtime_dequeue(i);
	invocation_free(i);
	runtime_dispatch(of);
	fn(arg, r);
}

void runtime_fail(struct invocation *i, enum result_kind kind, const char *why)
{
	runtime_end(i, &(struct result){.kind = kind, .why = why});
}

static void on_time(void *arg)
{
	struct invocation *i = arg;
	struct runtime *r = i->runtime;
	char why[WHY_TEXT];

	if (!i->is_running && r->n_workers == 0) {
		snprintf(why, sizeof why, "no worker polls %s for it",
			 runtime_address(r));
		runtime_fail(i, RESULT_UNREACHABLE, why);
		return;
	}
	if (!i->is_running) {
		snprintf(why, sizeof why, "its %lld workers are all busy",
			 (long long)r->n_workers);
		runtime_fail(i, RESULT_THROTTLED, why);
		return;
	}
	if (i->worker != NULL) {
		memcpy(i->worker->late, i->id, sizeof i->id);
		runtime_notify(i->worker, "overdue");
	}
	snprintf(why, sizeof why, "Task timed out after %.2f seconds",
		 (double)i->timeout_ms / 1000);
	runtime_fail(i, RESULT_TIMEOUT, why);
}

struct invocation *runtime_find(const struct runtime *r, struct worker *w, struct span id)
{
	struct invocation *i;

	if (w != NULL && span_is(id, w->late)) {
		w->late[0] = '\0';
		return NULL;
	}
	if (w != NULL && w->invocation != NULL && span_is(id, w->invocation->id))
		return w->invocation;
	TAILQ_FOREACH (i, &r->running, next)
		if (span_is(id, i->id))
			return i;
	return NULL;
}
