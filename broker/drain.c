#include "broker/drain.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/channels/occupancy/occupancy.h"
#include "broker/cluster/edges.h"
#include "broker/cluster/members.h"
#include "broker/cluster/reaper.h"
#include "broker/events/dispatch.h"
#include "broker/events/redelivery.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

/* What edges had sent before they heard of it arrives within the first of these. */
enum { LEAST_MS = 200, LOOK_MS = 20 };

struct drain {
	struct drain_uses uses;
	int64_t drain_ms;
	struct timer *look;
	int64_t since_ms;
	bool has_begun;
};

static void on_signal(void *arg);
static void look(void *arg);

struct drain *drain_new(int64_t drain_ms, const struct drain_uses *uses)
{
	struct drain *d = xcalloc(1, sizeof *d);

	d->uses = *uses;
	d->drain_ms = drain_ms;
	d->look = timer_new(uses->loop, look, d);
	loop_on_signal(uses->loop, on_signal, d);
	return d;
}

static void on_signal(void *arg)
{
	struct drain *d = arg;
	const struct drain_uses *u = &d->uses;

	if (d->has_begun) {
		loop_stop(u->loop);
		return;
	}
	d->has_begun = true;
	d->since_ms = loop_now(u->loop);
	sd_notify(0, "STOPPING=1");
	log_info("broker.drain", I("lanes", dispatch_lanes(u->dispatch)),
		 I("within_ms", d->drain_ms));
	members_leave(u->members);
	edges_leave(u->edges);
	reaper_stop(u->reaper);
	redelivery_stop(u->redelivery);
	occupancy_stop(u->occupancies);
	timer_every(d->look, LOOK_MS);
}

static void look(void *arg)
{
	struct drain *d = arg;
	int64_t took = loop_now(d->uses.loop) - d->since_ms;

	if ((took >= LEAST_MS && dispatch_lanes(d->uses.dispatch) == 0 &&
	     occupancy_is_stopped(d->uses.occupancies)) ||
	    took >= d->drain_ms)
		loop_stop(d->uses.loop);
}

bool drain_has_begun(const struct drain *d)
{
	return d != NULL && d->has_begun;
}

void drain_free(struct drain *d)
{
	if (d == NULL)
		return;
	timer_free(d->look);
	free(d);
}
