/*
 * The edge has ended a subscription by itself (its token has expired): the connection leaves the
 * presence of its channel. When Redis is unreachable it stays there until it is reconciled
 * (broker/channels/presence/presence_edges.h).
 */
#include "broker/events/handle.h"

#include "broker/channels/presence/presence.h"

static void on_left(void *arg, const struct failure *failure)
{
	(void)failure;
	call_end(arg);
}

void handle_unsubscribed(struct call *c)
{
	presence_leave(c->uses->presence, c->in.body, &c->in.id, on_left, c);
}
