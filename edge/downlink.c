#include "edge/downlink.h"

#include "base/clock.h"
#include "base/log.h"
#include "edge/handshake.h"
#include "edge/registry.h"
#include "edge/websocket.h"
#include "proto/batch.h"

static struct id id_of(ProtobufCBinaryData d)
{
	struct id id;

	memcpy(id.b, d.data, ID_BYTES); /* envelope_read has seen to its length */
	return id;
}

static struct blob *frame_of(const Gatepost__Frame *f)
{
	return frame_blob(f->binary ? FRAME_BINARY : FRAME_TEXT, span_from(f->body));
}

static void apply(struct connection *c, const struct lane_event *e,
		  const Gatepost__Answer *a)
{
	bool request = e->kind == GATEPOST__EVENT__KIND__CONNECT ||
		       e->kind == GATEPOST__EVENT__KIND__HTTP;

	if (request && a->response != NULL)
		handshake_answer(c, a);
	else if (a->close != 0 && c->state == CONNECTION_OPEN)
		websocket_close(c, (uint16_t)a->close, span_from(a->close_reason));
	else if (a->frame != NULL && websocket_is_answering(c))
		websocket_send(c, frame_of(a->frame));
}

void downlink_answer(struct edge *edge, struct broker *from, const Gatepost__Answer *a)
{
	struct id id = id_of(a->id);
	struct connection *c = registry_find(edge->registry, &id);
	struct lane_event *e = NULL;

	if (c != NULL && a->term == c->lane.term && c->lane.home == from)
		e = lane_find(&c->lane, a->seq);
	if (e == NULL) {
		metric_add(edge->counts.stale, 1);
		log_debug("answer.stale", I("seq", a->seq), I("term", a->term));
		return;
	}
	uplink_credit(from, lane_event_bytes(e));
	if (a->retry) {
		uplink_retry(edge->uplink, c, e);
		return;
	}
	apply(c, e, a);
	connection_event_done(c, e);
}

static Gatepost__Outcome__Result obey(struct connection *c, const Gatepost__Command *m)
{
	if (c == NULL || c->state != CONNECTION_OPEN)
		return GATEPOST__OUTCOME__RESULT__GONE;
	if (m->kind == GATEPOST__COMMAND__KIND__SEND) {
		if (!connection_has_room(c)) {
			metric_add(c->edge->counts.shed, 1);
			return GATEPOST__OUTCOME__RESULT__FULL;
		}
		websocket_send(c, frame_of(m->frame));
	} else if (m->kind == GATEPOST__COMMAND__KIND__CLOSE) {
		websocket_close(c, (uint16_t)m->code, span_from(m->reason));
	}
	return GATEPOST__OUTCOME__RESULT__OK;
}

void downlink_command(struct edge *edge, struct broker *from, const Gatepost__Command *m)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	struct id id = id_of(m->id);
	struct connection *c = registry_find(edge->registry, &id);

	o.ticket = m->ticket;
	o.result = obey(c, m);
	if (m->kind == GATEPOST__COMMAND__KIND__LOOK &&
	    o.result == GATEPOST__OUTCOME__RESULT__OK) {
		o.context = (ProtobufCBinaryData){.len = c->context->n,
						  .data = c->context->p};
		o.last_active_ms =
			clock_wall_ms() - (loop_now(edge->loop) - c->active_ms);
	}
	uplink_outcome(from, &o);
}
