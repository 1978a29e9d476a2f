#include "broker/channels/delivery/generation.h"

#include "base/mem.h"
#include "broker/channels/delivery/waiting.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
	WAIT_MS = 1000,
	MOST = 20000, /* that wait; each of them is bounded by who asks */
	RANDOM = 64,  /* numbers of one system call */
};

struct asker {
	struct generation *generation;
	generation_fn *fn;
	void *arg;
	LIST_ENTRY(asker) next;
};

struct generation {
	struct loop *loop;
	struct store *store;
	struct members *members;
	struct waiting *waiting;
	LIST_HEAD(, asker) askers; /* those that wait */
	bool is_confirmed;         /* a beat was answered since the store came up */
	size_t random_left;
	uint32_t random[RANDOM]; /* for the ends of epochs */
};

static void on_up(void *arg)
{
	struct generation *g = arg;

	g->is_confirmed = false;
}

static bool is_sure(const void *arg)
{
	const struct generation *g = arg;

	return g->is_confirmed && store_is_up(g->store);
}

static void on_beat(void *arg)
{
	struct generation *g = arg;

	g->is_confirmed = true;
	waiting_release(g->waiting, is_sure, g);
}

struct generation *generation_new(struct loop *l, struct store *st, struct members *m)
{
	struct generation *g = xcalloc(1, sizeof *g);

	g->loop = l;
	g->store = st;
	g->members = m;
	g->waiting = waiting_new(l, WAIT_MS, MOST);
	LIST_INIT(&g->askers);
	store_on_up(st, on_up, g);
	members_watch(m, &(struct members_watcher){.beat = on_beat}, g);
	return g;
}

void generation_free(struct generation *g)
{
	struct asker *a;

	if (g == NULL)
		return;
	while ((a = LIST_FIRST(&g->askers)) != NULL) {
		LIST_REMOVE(a, next);
		free(a);
	}
	waiting_free(g->waiting);
	free(g);
}

static void on_waited(void *arg, bool in_time)
{
	struct asker *a = arg, copy = *a;

	LIST_REMOVE(a, next);
	free(a);
	copy.fn(copy.arg, in_time ? members_cluster(copy.generation->members) : NULL);
}

/* Not for long: waiting may help. */
static bool may_come(const struct generation *g)
{
	return store_is_up(g->store) ||
	       loop_now(g->loop) - store_lost_ms(g->store) < WAIT_MS ||
	       store_lost_ms(g->store) == 0;
}

void generation_get(struct generation *g, generation_fn *fn, void *arg)
{
	struct asker *a;

	if (waiting_count(g->waiting) == 0 && is_sure(g)) {
		fn(arg, members_cluster(g->members));
		return;
	}
	if (!may_come(g)) {
		fn(arg, NULL);
		return;
	}
	a = xcalloc(1, sizeof *a);
	a->generation = g;
	a->fn = fn;
	a->arg = arg;
	LIST_INSERT_HEAD(&g->askers, a, next);
	if (!waiting_add(g->waiting, on_waited, a))
		on_waited(a, false);
}

const char *generation_proposed(struct generation *g, char out[GENERATION_PROPOSED])
{
	if (g->random_left == 0) {
		evutil_secure_rng_get_bytes(g->random, sizeof g->random);
		g->random_left = RANDOM;
	}
	snprintf(out, GENERATION_PROPOSED, "%05x",
		 g->random[--g->random_left] & 0xfffffu);
	return out;
}
