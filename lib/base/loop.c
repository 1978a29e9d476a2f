#include "base/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>

enum { MOST_HOOKS = 8 };

struct call {
	loop_fn *fn;
	void *arg;
};

struct watch {
	struct watch *next;
	struct call call;
	struct event signals[2];
	int n;
};

struct loop {
	struct event_base *base;
	struct call hooks[MOST_HOOKS];
	size_t hook_count;
	struct call *deferred;
	size_t deferred_count, deferred_room;
	struct watch *watches;
	int64_t now; /* 0: not asked for yet in this turn */
	bool stop;
};

struct timer {
	struct event event;
	struct call call;
	int64_t every_ms; /* 0: once */
};

struct loop *loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof *l);
	struct event_config *c = event_config_new();

	assert(c);
	event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
	l->base = event_base_new_with_config(c);
	event_config_free(c);
	if (!l->base) {
		log_error(
			"loop.failed",
			S("hint", "no epoll descriptor: raise the limit of open files"));
		abort();
	}
	signal(SIGPIPE, SIG_IGN);
	return l;
}

/* Those that are there now; what they defer in turn is for the next time. */
static void run_deferred(struct loop *l)
{
	struct call *calls = l->deferred;
	size_t n = l->deferred_count;

	l->deferred = NULL;
	l->deferred_count = l->deferred_room = 0;
	for (size_t i = 0; i < n; i++)
		calls[i].fn(calls[i].arg);
	free(calls);
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	while (l->deferred_count)
		run_deferred(l);
	while (l->watches) {
		struct watch *w = l->watches;

		l->watches = w->next;
		for (int i = 0; i < w->n; i++)
			event_del(&w->signals[i]);
		free(w);
	}
	event_base_free(l->base);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

void loop_at_turn_end(struct loop *l, loop_fn *fn, void *arg)
{
	assert(l->hook_count < MOST_HOOKS);
	l->hooks[l->hook_count++] = (struct call){fn, arg};
}

void loop_defer(struct loop *l, loop_fn *fn, void *arg)
{
	if (l->deferred_count == l->deferred_room) {
		l->deferred_room = l->deferred_room ? l->deferred_room * 2 : 16;
		l->deferred =
			xrealloc(l->deferred, l->deferred_room * sizeof *l->deferred);
	}
	l->deferred[l->deferred_count++] = (struct call){fn, arg};
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
	struct watch *w = arg;

	(void)number;
	(void)what;
	w->call.fn(w->call.arg);
}

static struct watch *watch(struct loop *l, loop_fn *fn, void *arg)
{
	struct watch *w = xcalloc(1, sizeof *w);

	w->call = (struct call){fn, arg};
	w->next = l->watches;
	l->watches = w;
	return w;
}

static void add_signal(struct loop *l, struct watch *w, int number)
{
	struct event *e = &w->signals[w->n++];

	evsignal_assign(e, l->base, number, on_signal, w);
	evsignal_add(e, NULL);
}

void loop_on_signal(struct loop *l, loop_fn *fn, void *arg)
{
	struct watch *w = watch(l, fn, arg);

	add_signal(l, w, SIGTERM);
	add_signal(l, w, SIGINT);
}

void loop_on_reload(struct loop *l, loop_fn *fn, void *arg)
{
	add_signal(l, watch(l, fn, arg), SIGHUP);
}

static void log_ignored(void *arg)
{
	(void)arg;
	log_info("signal.ignored", S("signal", "SIGHUP"),
		 S("why", "this process has nothing to reload; SIGTERM stops it"));
}

void loop_ignore_reload(struct loop *l)
{
	loop_on_reload(l, log_ignored, NULL);
}

static void run_hooks(struct loop *l)
{
	for (size_t i = 0; i < l->hook_count; i++)
		l->hooks[i].fn(l->hooks[i].arg);
}

static void end_turn(struct loop *l)
{
	run_hooks(l);
	if (l->deferred_count) {
		run_deferred(l);
		run_hooks(l); /* what those have produced does not wait either */
	}
	l->now = 0;
}

void loop_run(struct loop *l)
{
	while (!l->stop) {
		int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

		if (l->deferred_count)
			flags |= EVLOOP_NONBLOCK;
		if (event_base_loop(l->base, flags) == -1) {
			log_error("loop.failed",
				  S("hint", "epoll failed: the process ends"));
			abort();
		}
		end_turn(l);
	}
	l->stop = false;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

int64_t loop_now(struct loop *l)
{
	if (l->now == 0)
		l->now = clock_ms();
	return l->now;
}

static void arm(struct timer *t, int64_t ms)
{
	struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

	evtimer_add(&t->event, &tv);
}

/* The timer may be gone when fn comes back. */
static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	(void)fd;
	(void)what;
	if (t->every_ms)
		arm(t, t->every_ms);
	t->call.fn(t->call.arg);
}

struct timer *timer_new(struct loop *l, loop_fn *fn, void *arg)
{
	struct timer *t = xcalloc(1, sizeof *t);

	t->call = (struct call){fn, arg};
	evtimer_assign(&t->event, l->base, on_timeout, t);
	return t;
}

void timer_free(struct timer *t)
{
	if (!t)
		return;
	evtimer_del(&t->event);
	free(t);
}

void timer_after(struct timer *t, int64_t ms)
{
	t->every_ms = 0;
	arm(t, ms > 0 ? ms : 0);
}

void timer_every(struct timer *t, int64_t ms)
{
	assert(ms > 0);
	t->every_ms = ms;
	arm(t, ms);
}

void timer_stop(struct timer *t)
{
	t->every_ms = 0;
	evtimer_del(&t->event);
}
