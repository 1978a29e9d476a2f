#include "broker/events/dead_letters.h"

#include "base/mem.h"
#include "store/disconnects.h"

#include <stdlib.h>

enum { ASK_MS = 10 * 1000 };

struct parked {
	struct broker *broker;
	struct timer *timer;
	struct metric *n;
	bool is_asking;
};

static void ask(void *arg);
static void on_count(void *arg, enum err e, int64_t n);

struct parked *parked_new(struct broker *b)
{
	struct parked *p = xcalloc(1, sizeof *p);

	p->broker = b;
	p->n = metric_gauge(b->metrics, "gatepost_broker_disconnects_parked", NULL,
			    "Dead letters in the whole cluster; each broker shows the "
			    "same number, read every 10 s");
	p->timer = timer_new(b->loop, ask, p);
	timer_every(p->timer, ASK_MS);
	return p;
}

void parked_free(struct parked *p)
{
	if (p == NULL)
		return;
	timer_free(p->timer);
	free(p);
}

static void ask(void *arg)
{
	struct parked *p = arg;

	if (p->is_asking || !store_is_up(p->broker->store))
		return;
	p->is_asking = true;
	store_parked_count(p->broker->store, on_count, p);
}

/* While the store is away the last number stands. */
static void on_count(void *arg, enum err e, int64_t n)
{
	struct parked *p = arg;

	p->is_asking = false;
	if (e == OK)
		metric_set(p->n, n);
}
