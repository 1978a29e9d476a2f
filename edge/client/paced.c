#include "edge/client/paced.h"

#include "base/mem.h"
#include "edge/client/connection.h"
#include "edge/client/registry.h"

#include <stdlib.h>

enum {
	LONGEST_STEP_MS = 100, /* after a longer turn, do not catch up all at once */
	SHARE = 1000,          /* one connection in `due`: rate is per millisecond */
};

struct gathering {
	struct paced *p;
	bool only_open;
};

static void note_slot(void *arg, struct connection *c)
{
	const struct gathering *g = arg;

	if (!g->only_open || c->state == CONNECTION_OPEN)
		g->p->slots[g->p->n++] = c->slot;
}

/* Clients that connected together do not reconnect together. */
static void shuffle(uint32_t *slots, uint32_t n)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t k = arc4random_uniform(i);
		uint32_t other = slots[k];

		slots[k] = slots[i - 1];
		slots[i - 1] = other;
	}
}

void paced_begin(struct paced *p, struct clients *clients, int64_t now, bool only_open)
{
	struct gathering g = {p, only_open};

	paced_end(p);
	p->slots = xcalloc(registry_count(clients->registry) + 1, sizeof *p->slots);
	registry_each(clients->registry, 0, UINT32_MAX, note_slot, &g);
	shuffle(p->slots, p->n);
	p->looked_ms = now;
}

struct closing {
	struct clients *clients;
	uint32_t n;
};

static void close_one(void *arg, struct connection *c)
{
	struct closing *to = arg;
	struct end_words words = connection_drain_words(to->clients);

	to->n += connection_end(c, CAUSE_DRAIN, &words);
}

uint32_t paced_close(struct paced *p, struct clients *clients, int64_t now, int64_t rate,
		     uint32_t most)
{
	int64_t step = now - p->looked_ms;
	struct closing to = {clients, 0};

	p->looked_ms = now;
	if (rate == PACED_ALL)
		p->due = (int64_t)paced_left(p) * SHARE;
	else
		p->due += rate * (step < LONGEST_STEP_MS ? step : LONGEST_STEP_MS);
	for (; p->due >= SHARE && to.n < most && p->next < p->n; p->next++) {
		uint32_t slot = p->slots[p->next], before = to.n;

		registry_each(clients->registry, slot, slot + 1, close_one, &to);
		p->due -= SHARE * (to.n - before);
	}
	return to.n;
}

uint32_t paced_left(const struct paced *p)
{
	return p->n - p->next;
}

void paced_end(struct paced *p)
{
	free(p->slots);
	*p = (struct paced){0};
}
