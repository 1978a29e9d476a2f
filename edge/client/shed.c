#include "edge/client/shed.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/client/connection.h"
#include "edge/client/paced.h"
#include "edge/client/registry.h"

#include <stdlib.h>

enum { STEP_MS = 20 };

struct shed {
	struct clients *clients;
	struct timer *timer;
	int64_t rate;
	struct paced paced;
	uint32_t left; /* to be closed */
};

static void step(void *arg);

struct shed *shed_new(struct clients *clients, int64_t rate)
{
	struct shed *s = xcalloc(1, sizeof *s);

	s->clients = clients;
	s->rate = rate;
	s->timer = timer_new(clients->loop, step, s);
	return s;
}

void shed_free(struct shed *s)
{
	if (s == NULL)
		return;
	timer_free(s->timer);
	paced_end(&s->paced);
	free(s);
}

static void count_open(void *arg, struct connection *c)
{
	*(uint32_t *)arg += c->state == CONNECTION_OPEN;
}

uint32_t shed_count_open(const struct shed *s)
{
	uint32_t n = 0;

	registry_each(s->clients->registry, 0, UINT32_MAX, count_open, &n);
	return n;
}

uint32_t shed_begin(struct shed *s, uint32_t most)
{
	if (s->clients->is_draining)
		return 0;
	paced_begin(&s->paced, s->clients, loop_now(s->clients->loop), true);
	s->left = paced_left(&s->paced) < most ? paced_left(&s->paced) : most;
	log_info("edge.shed", I("closing", s->left), I("open", paced_left(&s->paced)),
		 I("rate", s->rate));
	if (s->left > 0)
		timer_every(s->timer, STEP_MS);
	return s->left;
}

static void step(void *arg)
{
	struct shed *s = arg;
	int64_t now = loop_now(s->clients->loop);

	if (!s->clients->is_draining)
		s->left -= paced_close(&s->paced, s->clients, now, s->rate, s->left);
	if (s->left > 0 && paced_left(&s->paced) > 0 && !s->clients->is_draining)
		return;
	timer_stop(s->timer);
	paced_end(&s->paced);
	log_info("edge.shed.over", I("connections", clients_sockets(s->clients)));
}
