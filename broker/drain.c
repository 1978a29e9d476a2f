#include "broker/drain.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/events/lane.h"
#include "broker/cluster/members.h"
#include "broker/cluster/edges.h"
#include "broker/cluster/reaper.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

/* What edges had sent before they heard of it arrives within the first of these. */
enum { LEAST_MS = 200, LOOK_MS = 20 };

struct drain {
	struct broker *broker;
	struct timer *look;
	int64_t since_ms;
};

static void on_signal(void *arg);
static void look(void *arg);

struct drain *drain_new(struct broker *b)
{
	struct drain *d = xcalloc(1, sizeof *d);

	d->broker = b;
	d->look = timer_new(b->loop, look, d);
	loop_on_signal(b->loop, on_signal, d);
	return d;
}

static void on_signal(void *arg)
{
	struct drain *d = arg;
	struct broker *b = d->broker;

	if (b->draining) {
		loop_stop(b->loop);
		return;
	}
	b->draining = true;
	d->since_ms = loop_now(b->loop);
	sd_notify(0, "STOPPING=1");
	log_info("broker.drain", I("lanes", lanes_size(b->lanes)),
		 I("within_ms", b->conf.drain_ms));
	members_leave(b->members);
	edges_leave(b->edges);
	reaper_stop(b->reaper);
	timer_every(d->look, LOOK_MS);
}

static void look(void *arg)
{
	struct drain *d = arg;
	struct broker *b = d->broker;
	int64_t took = loop_now(b->loop) - d->since_ms;

	if ((took >= LEAST_MS && lanes_size(b->lanes) == 0) || took >= b->conf.drain_ms)
		loop_stop(b->loop);
}

void drain_free(struct drain *d)
{
	if (d == NULL)
		return;
	timer_free(d->look);
	free(d);
}
