#include "broker/events/lane.h"

#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>

TAILQ_HEAD(queue, call);

/* A connection with events here: those being handled, and those that wait. */
struct lane {
	struct id id; /* the key */
	struct lanes *lanes;
	struct queue running, waiting;
	bool is_starting;
};

struct lanes {
	struct map *busy;
	struct lane *spare; /* a lane that ended, kept for the next one; NULL: none */
	lane_fn *handle;
	struct metric *repeated;
};

static void start(struct lane *l);
static void finish(struct call *c);

static int64_t ask_size(void *arg)
{
	return (int64_t)lanes_size(arg);
}

struct lanes *lanes_new(struct metrics *m, lane_fn *handle)
{
	struct lanes *l = xcalloc(1, sizeof *l);

	l->busy = map_new();
	l->handle = handle;
	l->repeated =
		metric_counter(m, "gatepost_broker_repeated_total", NULL,
			       "Events that arrived again while they were being handled");
	metric_asked_gauge(m, "gatepost_broker_lanes", NULL,
			   "Connections with an event being handled", ask_size, l);
	return l;
}

static void free_all(struct queue *q)
{
	struct call *c;

	while ((c = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, c, turn.next);
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
	free(l->spare);
	free(l);
}

size_t lanes_size(const struct lanes *l)
{
	return map_size(l->busy);
}

static struct call *same_event(const struct queue *q, uint64_t seq)
{
	struct call *c;

	TAILQ_FOREACH (c, q, turn.next)
		if (c->in.seq == seq)
			return c;
	return NULL;
}

/* The answer goes to the link that sent the event last. */
static void replace(struct call *old, struct call *c)
{
	struct sink sink = old->sink;

	old->sink = c->sink;
	c->sink = sink;
	call_free(c);
}

static struct lane *lane_of(struct lanes *ls, const struct id *id)
{
	struct lane *l = map_find(ls->busy, id_span(id));

	if (l != NULL)
		return l;
	l = ls->spare != NULL ? ls->spare : xmalloc(sizeof *l);
	ls->spare = NULL;
	*l = (struct lane){.id = *id, .lanes = ls};
	TAILQ_INIT(&l->running);
	TAILQ_INIT(&l->waiting);
	map_put(ls->busy, id_span(&l->id), l);
	return l;
}

void lane_enqueue(struct lanes *ls, struct call *c)
{
	struct lane *l = lane_of(ls, &c->in.id);
	struct call *old = NULL;

	if (c->again) { /* else no broker has seen it */
		old = same_event(&l->running, c->in.seq);
		if (old == NULL)
			old = same_event(&l->waiting, c->in.seq);
	}
	if (old != NULL) {
		metric_add(ls->repeated, 1);
		replace(old, c);
		return;
	}
	c->turn.lane = l;
	c->turn.end = finish;
	TAILQ_INSERT_TAIL(&l->waiting, c, turn.next);
	start(l);
}

static bool may_start(const struct lane *l, const struct call *c)
{
	const struct call *first = TAILQ_FIRST(&l->running);

	return first == NULL || (c->turn.is_parallel && first->turn.is_parallel);
}

static void remove_call(struct lane *l, struct call *c)
{
	TAILQ_REMOVE(&l->running, c, turn.next);
	call_free(c);
}

static void close_lane(struct lane *l)
{
	struct lanes *ls = l->lanes;

	map_remove(ls->busy, id_span(&l->id));
	free(ls->spare);
	ls->spare = l;
}

/* A call may end before its handler returns, so this is a loop instead of a recursion. */
static void start(struct lane *l)
{
	struct call *c;

	if (l->is_starting)
		return;
	l->is_starting = true;
	while ((c = TAILQ_FIRST(&l->waiting)) != NULL && may_start(l, c)) {
		TAILQ_REMOVE(&l->waiting, c, turn.next);
		TAILQ_INSERT_TAIL(&l->running, c, turn.next);
		c->turn.in_handler = true;
		if (call_is_lost(c))
			c->turn.has_ended =
				true; /* its edge has sent it to another broker, or has died */
		else
			l->lanes->handle(c);
		c->turn.in_handler = false;
		if (c->turn.has_ended)
			remove_call(l, c);
	}
	l->is_starting = false;
	if (TAILQ_EMPTY(&l->running))
		close_lane(l);
}

static void finish(struct call *c)
{
	struct lane *l = c->turn.lane;

	c->turn.has_ended = true;
	if (c->turn.in_handler)
		return;
	remove_call(l, c);
	start(l);
}
