#include "broker/events/lane.h"

#include "base/map.h"
#include "base/mem.h"
#include "broker/events/handle.h"
#include "broker/cluster/edges.h"

#include <stdlib.h>

TAILQ_HEAD(queue, call);

/* A connection with an event here: those being handled, and those that wait for them. */
struct lane {
	struct id id; /* the key */
	struct lanes *lanes;
	struct queue running, waiting;
	bool is_starting;
};

struct lanes {
	struct map *busy;
};

static void start(struct lane *l);

struct lanes *lanes_new(void)
{
	struct lanes *l = xcalloc(1, sizeof *l);

	l->busy = map_new();
	return l;
}

static void free_all(struct queue *q)
{
	struct call *c;

	while ((c = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, c, next);
		call_free(c);
	}
}

void lanes_free(struct lanes *l)
{
	struct lane *lane;

	if (l == NULL)
		return;
	for (size_t at = 0; (lane = map_next(l->busy, &at)) != NULL;) {
		map_remove(l->busy, id_span(&lane->id));
		free_all(&lane->running);
		free_all(&lane->waiting);
		free(lane);
	}
	map_free(l->busy);
	free(l);
}

size_t lanes_size(const struct lanes *l)
{
	return map_size(l->busy);
}

static struct call *same_event(const struct queue *q, uint64_t seq)
{
	struct call *c;

	TAILQ_FOREACH(c, q, next)
	if (c->seq == seq)
		return c;
	return NULL;
}

/* The answer goes where it was asked for last. */
static void replace(struct call *old, struct call *c)
{
	struct edge_link *peer = old->peer;

	old->peer = c->peer;
	old->term = c->term;
	c->peer = peer;
	metric_add(c->broker->counts.repeated, 1);
	call_free(c);
}

static struct lane *lane_of(struct lanes *ls, const struct id *id)
{
	struct lane *l = map_find(ls->busy, id_span(id));

	if (l != NULL)
		return l;
	l = xcalloc(1, sizeof *l);
	l->id = *id;
	l->lanes = ls;
	TAILQ_INIT(&l->running);
	TAILQ_INIT(&l->waiting);
	map_put(ls->busy, id_span(&l->id), l);
	return l;
}

void lane_take(struct lanes *ls, struct call *c)
{
	struct lane *l = lane_of(ls, &c->id);
	struct call *old = NULL;

	if (c->again) { /* else no broker has seen it */
		old = same_event(&l->running, c->seq);
		if (old == NULL)
			old = same_event(&l->waiting, c->seq);
	}
	if (old != NULL) {
		replace(old, c);
		return;
	}
	c->lane = l;
	c->is_parallel = handle_is_parallel(c);
	TAILQ_INSERT_TAIL(&l->waiting, c, next);
	start(l);
}

static bool may_start(const struct lane *l, const struct call *c)
{
	const struct call *first = TAILQ_FIRST(&l->running);

	return first == NULL || (c->is_parallel && first->is_parallel);
}

static void done(struct call *c)
{
	TAILQ_REMOVE(&c->lane->running, c, next);
	call_free(c);
}

/* A handler may be done before it returns; so this is a loop, and not a deep recursion. */
static void start(struct lane *l)
{
	struct call *c;

	if (l->is_starting)
		return;
	l->is_starting = true;
	while ((c = TAILQ_FIRST(&l->waiting)) != NULL && may_start(l, c)) {
		TAILQ_REMOVE(&l->waiting, c, next);
		TAILQ_INSERT_TAIL(&l->running, c, next);
		c->in_handler = true;
		if (c->peer != NULL && !edge_link_is_live(c->peer))
			c->is_done = true; /* its edge asks another, or has died */
		else
			handle(c);
		c->in_handler = false;
		if (c->is_done)
			done(c);
	}
	l->is_starting = false;
	if (TAILQ_EMPTY(&l->running)) {
		map_remove(l->lanes->busy, id_span(&l->id));
		free(l);
	}
}

void lane_done(struct call *c)
{
	struct lane *l = c->lane;

	c->is_done = true;
	if (c->in_handler)
		return;
	done(c);
	start(l);
}
