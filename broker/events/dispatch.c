#include "broker/events/dispatch.h"

#include "base/mem.h"
#include "broker/events/choose.h"
#include "broker/events/lane.h"
#include "broker/events/redelivery.h"
#include "broker/events/reply.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct dispatch {
	struct handle_uses handle;
	const struct project *project;
	struct lanes *lanes;
	struct call_counts counts;
};

static void handle(struct call *c);

struct dispatch *dispatch_new(const struct dispatch_uses *uses)
{
	struct dispatch *d = xcalloc(1, sizeof *d);

	d->handle = (struct handle_uses){uses->store, uses->redelivery, uses->clients,
					 uses->presence};
	d->project = uses->project;
	call_counts_init(&d->counts, uses->metrics);
	d->lanes = lanes_new(uses->metrics, handle);
	return d;
}

void dispatch_free(struct dispatch *d)
{
	if (d == NULL)
		return;
	lanes_free(d->lanes);
	free(d);
}

size_t dispatch_lanes(const struct dispatch *d)
{
	return lanes_size(d->lanes);
}

static void enqueue(struct dispatch *d, struct call *c)
{
	c->uses = &d->handle;
	choose_route(c);
	lane_enqueue(d->lanes, c);
}

void dispatch_event(struct dispatch *d, struct edge_link *from, const Gatepost__Event *e)
{
	struct call *c = call_new(&d->counts, project_routes(d->project),
				  reply_to(from, e->term), e);

	if (c->in.kind == GATEPOST__EVENT__KIND__CONNECT)
		snprintf(c->connect.boot, sizeof c->connect.boot, "%s",
			 edge_link_boot(from));
	enqueue(d, c);
}

bool dispatch_pending(struct dispatch *d, const struct disconnect *pending)
{
	struct call *c =
		call_new_pending(&d->counts, project_routes(d->project), pending);

	if (c == NULL)
		return false;
	c->disconnect.claim = redelivery_keep_claim(d->handle.redelivery, &c->in.id);
	enqueue(d, c);
	return true;
}

static void (*const handlers[])(struct call *) = {
	[GATEPOST__EVENT__KIND__CONNECT] = handle_connect,
	[GATEPOST__EVENT__KIND__MESSAGE] = handle_message,
	[GATEPOST__EVENT__KIND__DISCONNECT] = handle_disconnect,
	[GATEPOST__EVENT__KIND__HTTP] = handle_http,
	[GATEPOST__EVENT__KIND__UNSUBSCRIBED] = handle_unsubscribed,
};

static void handle(struct call *c)
{
	assert(c->in.kind < sizeof handlers / sizeof *handlers &&
	       handlers[c->in.kind] != NULL);
	handlers[c->in.kind](c);
}
