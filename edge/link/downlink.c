#include "edge/link/downlink.h"

#include "base/clock.h"
#include "base/log.h"
#include "edge/client/registry.h"
#include "edge/client/reply.h"
#include "edge/client/websocket.h"
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
		verdict_answer(c, a);
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
	uplink_credit(from, e);
	if (a->retry) {
		uplink_retry(edge->uplink, c, e);
		return;
	}
	apply(c, e, a);
	if (c->is_opened && e->kind == GATEPOST__EVENT__KIND__CONNECT &&
	    e->rosters != edge->rosters)
		uplink_roster(from, c);
	connection_event_done(c, e);
}

static Gatepost__Outcome__Result result_of(enum err e)
{
	return e == OK         ? GATEPOST__OUTCOME__RESULT__OK
	       : e == ERR_BUSY ? GATEPOST__OUTCOME__RESULT__FULL
			       : GATEPOST__OUTCOME__RESULT__GONE;
}

static void shed(struct connection *c)
{
	bool asked = c->state == CONNECTION_ASKED;
	char id[ID_TEXT];

	metric_add(c->edge->counts.shed, 1);
	log_info_flood("push.refused", S("id", id_text(&c->id, id)),
		       S("why", asked ? "too many pushes wait for its $connect"
				      : "client does not read"),
		       S("hint", asked ? "--early-posts, --held-memory"
				       : "--outbox, --outbox-memory"));
}

/* One of the frame's holders is c then, if it has room. */
static enum err send_to(struct connection *c, struct blob *frame)
{
	enum err e = ERR_NOTFOUND;

	if (c != NULL && c->state == CONNECTION_ASKED)
		e = verdict_keep(c, frame);
	else if (c != NULL && c->state == CONNECTION_OPEN)
		e = connection_has_room(c) ? OK : ERR_BUSY;
	if (e == OK && c->state == CONNECTION_OPEN)
		websocket_send(c, blob_ref(frame));
	if (e == ERR_BUSY)
		shed(c);
	return e;
}

static void look(struct connection *c, Gatepost__Outcome *o)
{
	o->context = (ProtobufCBinaryData){.len = c->context->n, .data = c->context->p};
	o->last_active_ms = clock_wall_ms() - (loop_now(c->edge->loop) - c->active_ms);
}

static enum err obey(struct edge *edge, const Gatepost__Command *m, Gatepost__Outcome *o)
{
	struct id id = id_of(m->id);
	struct connection *c = registry_find(edge->registry, &id);

	if (c == NULL)
		return ERR_NOTFOUND;
	if (m->kind == GATEPOST__COMMAND__KIND__SEND) {
		struct blob *frame = frame_of(m->frame);
		enum err e = send_to(c, frame);

		blob_unref(frame);
		return e;
	}
	if (c->state != CONNECTION_OPEN)
		return ERR_NOTFOUND;
	if (m->kind == GATEPOST__COMMAND__KIND__CLOSE)
		websocket_close(c, (uint16_t)m->code, span_from(m->reason));
	else
		look(c, o);
	return OK;
}

/* One frame for all of them, of which each outbox gets a reference; a byte of results for each. */
static struct blob *send_to_all(struct edge *edge, const Gatepost__Command *m)
{
	struct blob *frame = frame_of(m->frame);
	struct blob *results = blob_alloc(m->ids.len / ID_BYTES);

	for (size_t i = 0; i < results->n; i++) {
		struct id id;

		memcpy(id.b, m->ids.data + i * ID_BYTES, ID_BYTES);
		results->p[i] = (uint8_t)result_of(
			send_to(registry_find(edge->registry, &id), frame));
	}
	blob_unref(frame);
	return results;
}

/* An id that is not known now is never known again: ids are not used twice. */
static struct blob *know_all(struct edge *edge, const Gatepost__Command *m)
{
	struct blob *results = blob_alloc(m->ids.len / ID_BYTES);

	for (size_t i = 0; i < results->n; i++) {
		struct id id;

		memcpy(id.b, m->ids.data + i * ID_BYTES, ID_BYTES);
		results->p[i] = (uint8_t)result_of(
			registry_find(edge->registry, &id) ? OK : ERR_NOTFOUND);
	}
	return results;
}

void downlink_command(struct edge *edge, struct broker *from, const Gatepost__Command *m)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	struct blob *results = NULL;

	o.ticket = m->ticket;
	if (m->ids.len > 0) {
		results = m->kind == GATEPOST__COMMAND__KIND__KNOW ? know_all(edge, m)
								   : send_to_all(edge, m);
		o.results = (ProtobufCBinaryData){results->n, results->p};
		o.result = GATEPOST__OUTCOME__RESULT__OK;
	} else {
		o.result = result_of(obey(edge, m, &o));
	}
	uplink_outcome(from, &o);
	blob_unref(results);
}
