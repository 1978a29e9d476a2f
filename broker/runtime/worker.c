/*
 * A worker's life: it polls, is given something, answers, polls again; and goes.
 */
#include "broker/runtime/worker.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

void runtime_notify(const struct worker *w, const char *what)
{
	sd_notifyf(0, "X_GATEPOST_WORKER=%s %u %s %s", what, w->port,
		   runtime_address(w->runtime), runtime_function(w->runtime));
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
	runtime_notify(w, "polls");
}

void runtime_worker_polls(struct runtime *r, struct worker *w)
{
	if (w->runtime == NULL)
		welcome(r, w);
	w->late[0] = '\0';
	TAILQ_INSERT_TAIL(&r->polling, w, waiting);
	r->n_polling++;
	runtime_dispatch(r);
	runtime_recount(r);
}

/* What it was running: once more, or its end. */
static void orphan(struct invocation *i)
{
	struct runtime *r = i->runtime;

	if (!i->may_repeat) {
		runtime_fail(i, RESULT_FAILED, "the worker died before it answered");
		return;
	}
	runtime_dequeue(i);
	i->may_repeat = false;
	i->is_running = false;
	runtime_enqueue(i, true);
	runtime_dispatch(r);
}

void runtime_worker_lost(struct worker *w)
{
	struct runtime *r = w->runtime;
	struct invocation *i = w->invocation;

	if (w->poll != NULL) {
		TAILQ_REMOVE(&r->polling, w, waiting);
		r->n_polling--;
	}
	TAILQ_REMOVE(&r->workers, w, next);
	r->n_workers--;
	runtime_recount(r);
	if (!w->roams && !r->is_freed)
		log_info("worker.lost", S("function", r->function), I("port", w->port),
			 S("state", i != NULL ? "busy" : "idle"));
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
		  S("hint", "see the output of its worker; it is started again"));
	if (r->n_workers > 0)
		return;
	free(r->cannot_start);
	r->cannot_start = xasprintf("function cannot start: %s", why);
	while ((i = TAILQ_FIRST(&r->waiting)) != NULL)
		runtime_fail(i, RESULT_FAILED, r->cannot_start);
}
