#include "broker/lane.h"

#include "base/map.h"
#include "base/mem.h"
#include "broker/handle.h"
#include "broker/peers.h"

#include <stdlib.h>

/* The value of an id is the call being handled; those that wait hang on its next. */
struct lanes {
	struct map *busy;
};

static void run(struct lanes *l, struct call *c);

struct lanes *lanes_new(void)
{
	struct lanes *l = xcalloc(1, sizeof *l);

	l->busy = map_new();
	return l;
}

void lanes_free(struct lanes *l)
{
	struct call *c;

	if (l == NULL)
		return;
	for (size_t at = 0; (c = map_next(l->busy, &at)) != NULL;) {
		map_remove(l->busy, id_span(&c->id));
		for (struct call *next; c != NULL; c = next) {
			next = c->next;
			call_free(c);
		}
	}
	map_free(l->busy);
	free(l);
}

size_t lanes_size(const struct lanes *l)
{
	return map_size(l->busy);
}

static struct call *same_event(struct call *first, uint64_t seq)
{
	while (first != NULL && first->seq != seq)
		first = first->next;
	return first;
}

/* The answer goes where it was asked for last. */
static void replace(struct call *old, struct call *c)
{
	struct peer *peer = old->peer;

	old->peer = c->peer;
	old->term = c->term;
	c->peer = peer;
	metric_add(c->broker->counts.repeated, 1);
	call_free(c);
}

void lane_take(struct lanes *l, struct call *c)
{
	struct call *first = map_find(l->busy, id_span(&c->id));
	struct call *old = same_event(first, c->seq);

	if (first == NULL) {
		map_put(l->busy, id_span(&c->id), c);
		c->last = c;
		run(l, c);
	} else if (old != NULL) {
		replace(old, c);
	} else {
		first->last->next = c;
		first->last = c;
	}
}

/* Take the first out; the next one stands for the lane then. */
static struct call *pop(struct lanes *l, struct call *c)
{
	struct call *next = c->next;

	map_remove(l->busy, id_span(&c->id));
	if (next != NULL) {
		next->last = c->last;
		map_put(l->busy, id_span(&next->id), next);
	}
	call_free(c);
	return next;
}

/* A handler may be done before it returns; so this is a loop, and not a deep recursion. */
static void run(struct lanes *l, struct call *c)
{
	while (c != NULL) {
		if (peer_link(c->peer) ==
		    NULL) { /* nobody waits: its edge asks another */
			c = pop(l, c);
			continue;
		}
		c->in_handler = true;
		handle(c);
		c->in_handler = false;
		if (!c->is_done)
			return;
		c = pop(l, c);
	}
}

void lane_done(struct call *c)
{
	struct lanes *l = c->broker->lanes;

	c->is_done = true;
	if (!c->in_handler)
		run(l, pop(l, c));
}
