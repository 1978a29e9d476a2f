#include "broker/channels/delivery/waiting.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/queue.h>

struct waiter {
	STAILQ_ENTRY(waiter) next;
	waiting_fn *fn;
	void *arg;
	int64_t until_ms;
};

struct waiting {
	struct loop *loop;
	struct timer *timer; /* for the first */
	STAILQ_HEAD(, waiter) all;
	size_t n, most;
	int64_t ms;
};

static void on_time(void *arg);

struct waiting *waiting_new(struct loop *l, int64_t ms, size_t most)
{
	struct waiting *w = xcalloc(1, sizeof *w);

	w->loop = l;
	w->ms = ms;
	w->most = most;
	STAILQ_INIT(&w->all);
	w->timer = timer_new(l, on_time, w);
	return w;
}

/* The first one, which waits no more. */
static struct waiter remove_first(struct waiting *w)
{
	struct waiter *first = STAILQ_FIRST(&w->all), copy = *first;

	STAILQ_REMOVE_HEAD(&w->all, next);
	w->n--;
	free(first);
	return copy;
}

void waiting_free(struct waiting *w)
{
	if (w == NULL)
		return;
	while (w->n > 0)
		remove_first(w);
	timer_free(w->timer);
	free(w);
}

bool waiting_add(struct waiting *w, waiting_fn *fn, void *arg)
{
	struct waiter *one;

	if (w->n == w->most)
		return false;
	one = xcalloc(1, sizeof *one);
	one->fn = fn;
	one->arg = arg;
	one->until_ms = loop_now(w->loop) + w->ms;
	if (w->n++ == 0)
		timer_after(w->timer, w->ms);
	STAILQ_INSERT_TAIL(&w->all, one, next);
	return true;
}

size_t waiting_count(const struct waiting *w)
{
	return w->n;
}

static void release_first(struct waiting *w, bool in_time)
{
	struct waiter one = remove_first(w);

	one.fn(one.arg, in_time);
}

void waiting_release(struct waiting *w, bool (*holds)(const void *arg), const void *arg)
{
	while (w->n > 0 && holds(arg))
		release_first(w, true);
	if (w->n == 0)
		timer_stop(w->timer);
}

static void on_time(void *arg)
{
	struct waiting *w = arg;
	int64_t now = loop_now(w->loop);

	while (w->n > 0 && STAILQ_FIRST(&w->all)->until_ms <= now)
		release_first(w, false);
	if (w->n > 0)
		timer_after(w->timer, STAILQ_FIRST(&w->all)->until_ms - now);
}
