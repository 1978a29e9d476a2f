#include "edge/client/registry.h"

#include "base/mem.h"
#include "edge/client/connection.h"

#include <assert.h>
#include <stdlib.h>

struct registry {
	uint32_t most, count;
	uint32_t n, room;          /* slots ever taken, slots there is room for */
	struct connection **slots; /* NULL: free */
	uint32_t *free_slots;      /* a stack, so that used slots stay close together */
	uint32_t n_free;
};

struct registry *registry_new(uint32_t most)
{
	struct registry *r = xcalloc(1, sizeof *r);

	r->most = most;
	return r;
}

void registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	free(r->slots);
	free(r->free_slots);
	free(r);
}

static uint32_t take_slot(struct registry *r)
{
	if (r->n_free > 0)
		return r->free_slots[--r->n_free];
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 64;
		r->slots = xrealloc(r->slots, r->room * sizeof *r->slots);
		r->free_slots = xrealloc(r->free_slots, r->room * sizeof *r->free_slots);
	}
	return r->n++;
}

enum err registry_add(struct registry *r, struct connection *c, uint32_t *slot)
{
	if (r->count == r->most)
		return ERR_BUSY;
	*slot = take_slot(r);
	r->slots[*slot] = c;
	r->count++;
	return OK;
}

void registry_remove(struct registry *r, uint32_t slot)
{
	assert(slot < r->n && r->slots[slot] != NULL);
	r->slots[slot] = NULL;
	r->free_slots[r->n_free++] = slot;
	r->count--;
}

struct connection *registry_find(const struct registry *r, const struct id *id)
{
	uint32_t slot = id_slot(id);
	struct connection *c = slot < r->n ? r->slots[slot] : NULL;

	return c != NULL && id_eq(&c->lane.id, id) ? c : NULL;
}

uint32_t registry_count(const struct registry *r)
{
	return r->count;
}

uint32_t registry_slots(const struct registry *r)
{
	return r->n;
}

void registry_each(struct registry *r, uint32_t from, uint32_t to, registry_fn *fn,
		   void *arg)
{
	for (uint32_t i = from; i < to && i < r->n; i++)
		if (r->slots[i] != NULL)
			fn(arg, r->slots[i]);
}
