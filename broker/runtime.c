/*
 * An invocation, in the order of happening:
 *
 *   runtime_invoke   a worker polls: give; none does: it waits
 *   runtime_polls    a worker is free: the one that has waited longest
 *   give             it runs, and its time with it
 *   runtime_end      answered, by runtime_api.c
 *   on_time          too late; or nobody has come for it
 *   runtime_lost     the worker has died
 */
#include "broker/runtime.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/runtime_worker.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { WHY_TEXT = 400, LABELS_TEXT = 200 };

static const char *const kind_names[] = {
	[RESULT_OK] = "ok",
	[RESULT_FAILED] = "failed",
	[RESULT_TIMEOUT] = "timeout",
	[RESULT_THROTTLED] = "throttled",
	[RESULT_UNREACHABLE] = "unreachable",
};
enum { KINDS = sizeof kind_names / sizeof *kind_names };

struct runtime {
	struct loop *loop;
	struct runtime_api *api;
	char *function;
	int64_t queue, wait_ms;
	struct workers workers, polling;
	int64_t n_workers, n_polling;
	struct invocations waiting, running;
	int64_t n_waiting;
	char *cannot_start; /* why no worker is there; NULL: not known */
	bool is_freed;
	struct {
		struct metric *invocations, *seconds, *workers, *polling, *waiting;
		struct metric *failed[KINDS]; /* none for RESULT_OK */
	} counts;
};

static void count(struct runtime *r, struct metrics *m);
static void put_to_wait(struct invocation *i, bool first);
static void give(struct worker *w, struct invocation *i);
static void on_time(void *arg);
static void fail(struct invocation *i, enum result_kind kind, const char *why);
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
	count(r, m);
	r->api = runtime_api_new(r, l, conf->address);
	if (r->api == NULL) {
		free_now(r);
		return NULL;
	}
	log_info("runtime.listen", S("function", r->function),
		 S("address", runtime_address(r)));
	return r;
}

/* Names may have what a label must escape. */
static void label(char out[LABELS_TEXT], const char *function)
{
	size_t n = (size_t)snprintf(out, LABELS_TEXT, "function=\"");

	for (const char *c = function; *c && n < LABELS_TEXT - 4; c++) {
		if (*c == '"' || *c == '\\')
			out[n++] = '\\';
		out[n++] = *c == '\n' ? ' ' : *c;
	}
	snprintf(out + n, LABELS_TEXT - n, "\"");
}

static void count(struct runtime *r, struct metrics *m)
{
	char own[LABELS_TEXT], kind[LABELS_TEXT + 32];

	label(own, r->function);
	r->counts.invocations =
		metric_counter(m, "gatepost_broker_function_invocations_total", own,
			       "Invocations asked for");
	r->counts.seconds =
		metric_seconds(m, "gatepost_broker_function_seconds", own,
			       "From the invocation to its end, waiting included");
	r->counts.workers = metric_gauge(m, "gatepost_broker_function_workers", own,
					 "Workers that are connected");
	r->counts.polling = metric_gauge(m, "gatepost_broker_function_workers_polling",
					 own, "Workers that wait for an invocation");
	r->counts.waiting = metric_gauge(m, "gatepost_broker_function_queue", own,
					 "Invocations that wait for a worker");
	for (int i = RESULT_FAILED; i < KINDS; i++) {
		snprintf(kind, sizeof kind, "%s,kind=\"%s\"", own, kind_names[i]);
		r->counts.failed[i] = metric_counter(
			m, "gatepost_broker_function_errors_total", kind,
			"Invocations that the function did not answer well");
	}
}

static void recount(struct runtime *r)
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
	recount(r);
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
	i->asked_us = now_us();
	i->timer = timer_new(r->loop, on_time, i);
	return i;
}

void runtime_invoke(struct runtime *r, const struct runtime_request *q, runtime_fn *fn,
		    void *arg)
{
	struct invocation *i = invocation_new(r, q);
	struct worker *w = TAILQ_FIRST(&r->polling);

	i->fn = fn;
	i->arg = arg;
	metric_add(r->counts.invocations, 1);
	if (w == NULL)
		put_to_wait(i, false);
	else
		give(w, i);
	if (w == NULL && r->cannot_start != NULL && r->n_workers == 0)
		fail(i, RESULT_FAILED, r->cannot_start);
	else if (r->n_waiting > r->queue)
		fail(i, RESULT_THROTTLED, "too many invocations wait for a worker");
}

static void put_to_wait(struct invocation *i, bool first)
{
	struct runtime *r = i->runtime;

	if (first)
		TAILQ_INSERT_HEAD(&r->waiting, i, next);
	else
		TAILQ_INSERT_TAIL(&r->waiting, i, next);
	r->n_waiting++;
	timer_after(i->timer, r->wait_ms);
	recount(r);
}

/* Take it out of the list that it is in. */
static void unlist(struct invocation *i)
{
	struct runtime *r = i->runtime;

	if (i->is_running) {
		TAILQ_REMOVE(&r->running, i, next);
	} else {
		TAILQ_REMOVE(&r->waiting, i, next);
		r->n_waiting--;
	}
	if (i->worker != NULL)
		i->worker->invocation = NULL;
	i->worker = NULL;
	recount(r);
}

/* i is in no list, w polls. */
static void give(struct worker *w, struct invocation *i)
{
	struct runtime *r = i->runtime;

	TAILQ_REMOVE(&r->polling, w, waiting);
	r->n_polling--;
	TAILQ_INSERT_TAIL(&r->running, i, next);
	i->is_running = true;
	i->worker = w;
	i->deadline_ms = clock_wall_ms() + i->timeout_ms;
	w->invocation = i;
	timer_after(i->timer, i->timeout_ms);
	recount(r);
	runtime_api_give(w);
}

void runtime_end(struct invocation *i, const struct result *r)
{
	struct runtime *of = i->runtime;
	runtime_fn *fn = i->fn;
	void *arg = i->arg;

	metric_add(of->counts.seconds, now_us() - i->asked_us);
	metric_add(of->counts.failed[r->kind], 1);
	unlist(i);
	invocation_free(i);
	fn(arg, r);
}

static void fail(struct invocation *i, enum result_kind kind, const char *why)
{
	runtime_end(i, &(struct result){.kind = kind, .why = why});
}

/*
 * For whoever has started the worker, and can tell by its port which one it is: it polls
 * for the first time, or it is overdue, and another one may be wanted instead.
 */
static void tell(const struct worker *w, const char *what)
{
	sd_notifyf(0, "X_GATEPOST_WORKER=%s %u %s %s", what, w->port,
		   runtime_address(w->runtime), runtime_function(w->runtime));
}

static void on_time(void *arg)
{
	struct invocation *i = arg;
	struct runtime *r = i->runtime;
	char why[WHY_TEXT];

	if (!i->is_running && r->n_workers == 0) {
		snprintf(why, sizeof why, "no worker polls %s for it",
			 runtime_address(r));
		fail(i, RESULT_UNREACHABLE, why);
		return;
	}
	if (!i->is_running) {
		snprintf(why, sizeof why, "its %lld workers are all busy",
			 (long long)r->n_workers);
		fail(i, RESULT_THROTTLED, why);
		return;
	}
	if (i->worker != NULL) {
		memcpy(i->worker->late, i->id, sizeof i->id);
		tell(i->worker, "overdue");
	}
	snprintf(why, sizeof why, "Task timed out after %.2f seconds",
		 (double)i->timeout_ms / 1000);
	fail(i, RESULT_TIMEOUT, why);
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
	TAILQ_FOREACH(i, &r->running, next)
	if (span_is(id, i->id))
		return i;
	return NULL;
}

/* Workers. */

struct worker *runtime_worker(const struct runtime *r, const struct evhttp_connection *c)
{
	struct worker *w;

	TAILQ_FOREACH(w, &r->workers, next)
	if (w->connection == c)
		return w;
	return NULL;
}

static void welcome(struct runtime *r, struct worker *w)
{
	w->runtime = r;
	TAILQ_INSERT_TAIL(&r->workers, w, next);
	r->n_workers++;
	free(r->cannot_start);
	r->cannot_start = NULL;
	if (w->roams)
		return; /* it comes with each of its polls */
	log_info("worker.ready", S("function", r->function), I("port", w->port),
		 I("workers", r->n_workers));
	tell(w, "polls");
}

void runtime_polls(struct runtime *r, struct worker *w)
{
	struct invocation *i = TAILQ_FIRST(&r->waiting);

	if (w->runtime == NULL)
		welcome(r, w);
	w->late[0] = '\0';
	TAILQ_INSERT_TAIL(&r->polling, w, waiting);
	r->n_polling++;
	if (i != NULL) {
		unlist(i);
		give(w, i);
	}
	recount(r);
}

/* What it was running: once more, or its end. */
static void orphan(struct invocation *i)
{
	struct runtime *r = i->runtime;
	struct worker *other = TAILQ_FIRST(&r->polling);

	if (!i->may_repeat) {
		fail(i, RESULT_FAILED, "the worker died before it answered");
		return;
	}
	unlist(i);
	i->may_repeat = false;
	i->is_running = false;
	if (other != NULL)
		give(other, i);
	else
		put_to_wait(i, true);
}

void runtime_lost(struct worker *w)
{
	struct runtime *r = w->runtime;
	struct invocation *i = w->invocation;

	if (w->poll != NULL) {
		TAILQ_REMOVE(&r->polling, w, waiting);
		r->n_polling--;
	}
	TAILQ_REMOVE(&r->workers, w, next);
	r->n_workers--;
	recount(r);
	if (!w->roams && !r->is_freed)
		log_info("worker.gone", S("function", r->function), I("port", w->port),
			 S("while", i != NULL ? "it ran an invocation" : "it was free"));
	if (i != NULL)
		i->worker = NULL;
	bool died = i != NULL && !w->roams;
	free(w);
	if (died)
		orphan(i);
}

void runtime_cannot_start(struct runtime *r, const char *why)
{
	struct invocation *i;

	log_error("function.cannot_start", S("function", r->function), S("why", why),
		  S("fix", "see what its worker has written; it is tried again"));
	if (r->n_workers > 0)
		return;
	free(r->cannot_start);
	r->cannot_start = xasprintf("it cannot start: %s", why);
	while ((i = TAILQ_FIRST(&r->waiting)) != NULL)
		fail(i, RESULT_FAILED, r->cannot_start);
}
