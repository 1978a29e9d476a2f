#ifndef EDGE_CLIENT_REGISTRY_H
#define EDGE_CLIENT_REGISTRY_H

/* All connections of this edge, each in its slot. A connection id names the slot. */

#include "base/err.h"
#include "proto/id.h"

struct connection;
struct registry;

struct registry *registry_new(uint32_t most);
void registry_free(
	struct registry *r); /* NULL is fine; the connections are gone by then */

/* Give c a slot; ERR_BUSY when there are `most` already. */
must_use enum err registry_add(struct registry *r, struct connection *c, uint32_t *slot);
void registry_remove(struct registry *r, uint32_t slot);

/* The connection with this id; NULL when it is gone. */
struct connection *registry_find(const struct registry *r, const struct id *id);

uint32_t registry_count(const struct registry *r);

/* Call fn for each connection in slots [from, to) (beyond the end is fine); fn may remove the one it is given. */
typedef void registry_fn(void *arg, struct connection *c);
void registry_each(struct registry *r, uint32_t from, uint32_t to, registry_fn *fn,
		   void *arg);

/* One more than the highest slot ever taken. */
uint32_t registry_slots(const struct registry *r);

#endif
