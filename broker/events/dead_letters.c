#include "broker/events/dead_letters.h"

#include "base/mem.h"
#include "store/disconnects.h"

#include <stdlib.h>

enum { ASK_MS = 10 * 1000 };

struct dead_letters {
	struct store *store;
	struct timer *timer;
	struct metric *n;
	bool is_asking;
};

static void ask(void *arg);
static void on_count(void *arg, enum err e, int64_t n);

struct dead_letters *dead_letters_new(struct loop *l, struct store *st, struct metrics *m)
{
	struct dead_letters *d = xcalloc(1, sizeof *d);

	d->store = st;
	d->n = metric_gauge(m, "gatepost_broker_disconnects_parked", NULL,
			    "Dead letters in the whole cluster; each broker shows the "
			    "same number, read every 10 s");
	d->timer = timer_new(l, ask, d);
	timer_every(d->timer, ASK_MS);
	return d;
}

void dead_letters_free(struct dead_letters *d)
{
	if (d == NULL)
		return;
	timer_free(d->timer);
	free(d);
}

static void ask(void *arg)
{
	struct dead_letters *d = arg;

	if (d->is_asking || !store_is_up(d->store))
		return;
	d->is_asking = true;
	store_dead_letters_count(d->store, on_count, d);
}

/* While the store is down, keep the last number. */
static void on_count(void *arg, enum err e, int64_t n)
{
	struct dead_letters *d = arg;

	d->is_asking = false;
	if (e == OK)
		metric_set(d->n, n);
}
