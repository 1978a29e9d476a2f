#include "edge/link/downlink.h"

#include "base/log.h"
#include "edge/link/resync.h"
#include "edge/link/uplink_internal.h"

/* The event that this answers; NULL: another broker has it now, or it is done. */
static struct lane_event *event_of(const struct broker_link *from, const struct lane *l,
				   const Gatepost__Answer *a)
{
	if (l == NULL || a->term != l->term || l->owner != from)
		return NULL;
	return lane_find(l, a->seq);
}

/* May an event of this kind have these actions? envelope_read has checked what is in them, and their order. */
static bool may_have(const struct lane_event *e, const Gatepost__Answer *a)
{
	bool responds = a->n_actions > 0 &&
			a->actions[0]->body_case == GATEPOST__ACTION__BODY_RESPONSE;

	switch (e->kind) {
	case GATEPOST__EVENT__KIND__CONNECT: return responds;
	case GATEPOST__EVENT__KIND__HTTP: return responds && a->n_actions == 1;
	case GATEPOST__EVENT__KIND__MESSAGE: return !responds;
	default: return a->n_actions == 0; /* DISCONNECT, UNSUBSCRIBED */
	}
}

void downlink_answer(struct broker_link *from, const Gatepost__Answer *a)
{
	struct uplink *u = from->uplink;
	struct lane_event *e;
	struct lane *l;
	struct id id;

	memcpy(id.b, a->id.data, ID_BYTES); /* envelope_read has checked its length */
	l = u->on.find(u->arg, &id);
	e = event_of(from, l, a);
	if (e == NULL) {
		metric_add(u->counts.stale, 1);
		log_debug("answer.stale", I("seq", a->seq), I("term", a->term));
		return;
	}
	if (a->retry) {
		uplink_retry(u, l, e);
		return;
	}
	if (!may_have(e, a)) {
		broker_link_close(from, "answer has actions that its event cannot have",
				  LINK_ENDED_UNREADABLE);
		return;
	}
	uplink_credit(from, e);
	u->on.answer(u->arg, l, e, a);
	if (e->kind == GATEPOST__EVENT__KIND__CONNECT && e->resyncs != u->resyncs)
		resync_send_one(u, l, &from->link);
	uplink_event_done(u, l, e);
}
