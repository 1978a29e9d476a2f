#include "fake_loop.h"

#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { START_MS = 1000 * 1000, HOOKS_MOST = 8, DEFERRED_MOST = 4096 };

struct timer {
	LIST_ENTRY(timer) next;
	struct loop *loop;
	loop_fn *fn;
	void *arg;
	int64_t due_ms; /* -1: stopped */
	int64_t every_ms;
};

struct loop {
	struct event_base *base; /* NULL until somebody asks for it */
	bool is_stopped;
	LIST_HEAD(, timer) timers;
	struct {
		loop_fn *fn;
		void *arg;
	} hooks[HOOKS_MOST], deferred[DEFERRED_MOST];
	size_t n_hooks, n_deferred;
	loop_fn *on_reload;
	void *reload_arg;
};

static int64_t now = START_MS;

int64_t clock_ms(void)
{
	return now;
}

int64_t clock_wall_ms(void)
{
	return now;
}

void clock_iso(int64_t wall_ms, char out[CLOCK_ISO])
{
	snprintf(out, CLOCK_ISO, "%lld", (long long)wall_ms);
}

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof *l);

	LIST_INIT(&l->timers);
	return l;
}

static void run_deferred(struct loop *l)
{
	for (size_t i = 0; i < l->n_deferred; i++)
		l->deferred[i].fn(l->deferred[i].arg);
	l->n_deferred = 0;
}

void loop_free(struct loop *l)
{
	run_deferred(l);
	if (l->base != NULL)
		event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	if (l->base == NULL)
		l->base = event_base_new();
	return l->base;
}

void loop_stop(struct loop *l)
{
	l->is_stopped = true;
}

bool fake_loop_is_stopped(const struct loop *l)
{
	return l->is_stopped;
}

void loop_defer(struct loop *l, loop_fn *fn, void *arg)
{
	cr_assert(l->n_deferred < DEFERRED_MOST);
	l->deferred[l->n_deferred].fn = fn;
	l->deferred[l->n_deferred++].arg = arg;
}

int64_t loop_now(struct loop *l)
{
	(void)l;
	return now;
}

void loop_at_turn_end(struct loop *l, loop_fn *fn, void *arg)
{
	cr_assert(l->n_hooks < HOOKS_MOST);
	l->hooks[l->n_hooks].fn = fn;
	l->hooks[l->n_hooks++].arg = arg;
}

void loop_on_reload(struct loop *l, loop_fn *fn, void *arg)
{
	l->on_reload = fn;
	l->reload_arg = arg;
}

void fake_loop_reload(struct loop *l)
{
	l->on_reload(l->reload_arg);
}

struct timer *timer_new(struct loop *l, loop_fn *fn, void *arg)
{
	struct timer *t = xcalloc(1, sizeof *t);

	t->loop = l;
	t->fn = fn;
	t->arg = arg;
	t->due_ms = -1;
	LIST_INSERT_HEAD(&l->timers, t, next);
	return t;
}

void timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	LIST_REMOVE(t, next);
	free(t);
}

void timer_after(struct timer *t, int64_t ms)
{
	t->due_ms = now + ms;
	t->every_ms = 0;
}

void timer_every(struct timer *t, int64_t ms)
{
	t->due_ms = now + ms;
	t->every_ms = ms;
}

void timer_stop(struct timer *t)
{
	t->due_ms = -1;
}

static struct timer *first_due(struct loop *l, int64_t until)
{
	struct timer *t, *first = NULL;

	LIST_FOREACH (t, &l->timers, next)
		if (t->due_ms >= 0 && t->due_ms <= until &&
		    (first == NULL || t->due_ms < first->due_ms))
			first = t;
	return first;
}

static void run_hooks(struct loop *l)
{
	for (size_t i = 0; i < l->n_hooks; i++)
		l->hooks[i].fn(l->hooks[i].arg);
}

static void end_turn(struct loop *l)
{
	run_hooks(l);
	if (l->n_deferred > 0) {
		run_deferred(l);
		run_hooks(l);
	}
}

void fake_loop_turn(struct loop *l)
{
	event_base_loop(loop_base(l), EVLOOP_NONBLOCK);
	end_turn(l);
}

void fake_loop_run(struct loop *l, int64_t ms)
{
	int64_t until = now + ms;
	struct timer *t;

	while ((t = first_due(l, until)) != NULL) {
		if (t->due_ms > now)
			now = t->due_ms;
		t->due_ms = t->every_ms > 0 ? now + t->every_ms : -1;
		t->fn(t->arg);
		end_turn(l);
	}
	now = until;
	end_turn(l);
}

void fake_loop_stop_for(int64_t ms)
{
	now += ms;
}
