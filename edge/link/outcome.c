#include "edge/link/outcome.h"

#include "edge/link/uplink_internal.h"

Gatepost__Position *outcome_copy_position(struct link *l, const Gatepost__Position *in)
{
	Gatepost__Position *p;

	if (in == NULL)
		return NULL;
	p = proto_arena_alloc(&l->out.arena, sizeof *p);
	gatepost__position__init(p);
	p->epoch = batch_copy(&l->out, span_from(in->epoch));
	p->offset = in->offset;
	return p;
}

void outcome_send(struct broker_link *from, const Gatepost__Outcome *o)
{
	Gatepost__Outcome *m = link_add(&from->link, GATEPOST__ITEM__BODY_OUTCOME,
					&gatepost__outcome__descriptor);

	m->ticket = o->ticket;
	m->result = o->result;
	m->last_active_ms = o->last_active_ms;
	m->context = batch_copy(&from->link.out, span_from(o->context));
	m->results = batch_copy(&from->link.out, span_from(o->results));
	m->subscribed = o->subscribed;
	m->position = outcome_copy_position(&from->link, o->position);
	m->reached = o->reached;
	m->connections = o->connections;
}
