#include "base/ring.h"

#include "base/mem.h"

#include <stdlib.h>

struct seat {
	uint64_t node;
	uint64_t mixed; /* of node, once */
	void *member;
};

struct ring {
	struct seat *seats;
	size_t n;
	uint32_t version;
};

/*
 * All processes must agree, so there is no random seed here. One to one, so that
 * two members never have the same hash for a key.
 *
 * source  splitmix64's finalizer, https://prng.di.unimi.it/splitmix64.c (public domain)
 */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

struct ring *ring_new(void)
{
	struct ring *r = xcalloc(1, sizeof *r);

	r->version = 1;
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	free(r->seats);
	free(r);
}

static struct seat *seat_of(const struct ring *r, uint64_t node)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->seats[i].node == node)
			return &r->seats[i];
	return NULL;
}

void ring_put(struct ring *r, uint64_t node, void *member)
{
	struct seat *seat = seat_of(r, node);

	if (!seat) {
		r->seats = xrealloc(r->seats, (r->n + 1) * sizeof *r->seats);
		seat = &r->seats[r->n++];
	}
	*seat = (struct seat){node, mix(node + 0x9e3779b97f4a7c15u), member};
	r->version++;
}

void ring_remove(struct ring *r, uint64_t node)
{
	struct seat *seat = seat_of(r, node);

	if (!seat)
		return;
	*seat = r->seats[--r->n];
	r->version++;
}

void *ring_pick(const struct ring *r, uint64_t key)
{
	void *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t weight = mix(key ^ r->seats[i].mixed);

		if (i == 0 || weight > most) {
			most = weight;
			best = r->seats[i].member;
		}
	}
	return best;
}

size_t ring_size(const struct ring *r)
{
	return r->n;
}

uint32_t ring_version(const struct ring *r)
{
	return r->version;
}
