#include "edge/drain.h"

#include "base/log.h"
#include "base/mem.h"
#include "edge/connection.h"
#include "edge/listener.h"
#include "edge/registry.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

enum { LOOK_MS = 20 };

struct drain {
	struct edge *edge;
	struct timer *look;
	int64_t until_ms;
};

static void on_signal(void *arg);
static void look(void *arg);

struct drain *drain_new(struct edge *edge)
{
	struct drain *d = xcalloc(1, sizeof *d);

	d->edge = edge;
	d->look = timer_new(edge->loop, look, d);
	loop_on_signal(edge->loop, on_signal, d);
	return d;
}

static void close_one(void *arg, struct connection *c)
{
	(void)arg;
	connection_drain(c);
}

static void on_signal(void *arg)
{
	struct drain *d = arg;
	struct edge *edge = d->edge;

	if (edge->draining) {
		loop_stop(edge->loop);
		return;
	}
	edge->draining = true;
	d->until_ms = loop_now(edge->loop) + edge->conf.drain_ms;
	sd_notify(0, "STOPPING=1");
	log_info("edge.drain", I("connections", registry_count(edge->registry)),
		 I("within_ms", edge->conf.drain_ms));
	listener_free(edge->listener);
	edge->listener = NULL;
	registry_each(edge->registry, 0, UINT32_MAX, close_one, NULL);
	timer_every(d->look, LOOK_MS);
}

static void look(void *arg)
{
	struct drain *d = arg;
	struct edge *edge = d->edge;

	if (registry_count(edge->registry) == 0 || loop_now(edge->loop) >= d->until_ms)
		loop_stop(edge->loop);
}

void drain_free(struct drain *d)
{
	if (d == NULL)
		return;
	timer_free(d->look);
	free(d);
}

static void abandon(void *arg, struct connection *c)
{
	(void)arg;
	connection_abandon(c);
}

void drain_last(struct edge *edge)
{
	registry_each(edge->registry, 0, UINT32_MAX, abandon, NULL);
}
