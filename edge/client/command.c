#include "edge/client/command.h"

#include "base/clock.h"
#include "base/log.h"
#include "edge/channels/subscription.h"
#include "edge/client/answer.h"
#include "edge/client/connection.h"
#include "edge/client/handshake.h"
#include "edge/client/registry.h"
#include "edge/client/reply.h"
#include "edge/client/shed.h"
#include "edge/client/websocket.h"
#include "edge/link/outcome.h"
#include "edge/link/uplink.h"
#include "proto/batch.h"

/* Of ids side by side, which envelope_read has checked to be whole. */
static struct id id_at(ProtobufCBinaryData ids, size_t i)
{
	struct id id;

	memcpy(id.b, ids.data + i * ID_BYTES, ID_BYTES);
	return id;
}

static Gatepost__Outcome__Result result_of(enum err e)
{
	return e == OK         ? GATEPOST__OUTCOME__RESULT__OK
	       : e == ERR_BUSY ? GATEPOST__OUTCOME__RESULT__FULL
			       : GATEPOST__OUTCOME__RESULT__GONE;
}

static void log_full(struct connection *c)
{
	bool asked = c->state == CONNECTION_ASKED;
	char id[ID_TEXT];

	metric_add(c->clients->counts.shed, 1);
	log_info_flood("push.refused", S("id", id_text(&c->lane.id, id)),
		       S("why", asked ? "too many pushes wait for its $connect"
				      : "client does not read"),
		       S("hint", asked ? "--early-posts, --held-memory"
				       : "--outbox, --outbox-memory"));
}

/* On OK, c has a reference to the frame. */
static enum err send_to(struct connection *c, struct blob *frame)
{
	enum err e = ERR_NOTFOUND;

	if (c != NULL && c->state == CONNECTION_ASKED)
		e = reply_keep_push(c, frame);
	else if (c != NULL && c->state == CONNECTION_OPEN)
		e = connection_can_queue(c) ? OK : ERR_BUSY;
	if (e == OK && c->state == CONNECTION_OPEN)
		websocket_send(c, blob_ref(frame));
	if (e == ERR_BUSY)
		log_full(c);
	return e;
}

static void describe(struct connection *c, const Gatepost__Command *m,
		     Gatepost__Outcome *o)
{
	if (m->channel.len > 0)
		o->subscribed =
			subscription_is_live(&c->subscriber, span_from(m->channel));
	o->context = (ProtobufCBinaryData){.len = c->lane.context->n,
					   .data = c->lane.context->p};
	o->last_active_ms = clock_wall_ms() - (loop_now(c->clients->loop) - c->active_ms);
}

static bool may_subscribe(const struct connection *c)
{
	return c != NULL && (c->state == CONNECTION_OPEN ||
			     (c->state == CONNECTION_ASKED && c->handshake->is_upgrade));
}

/* Of a connection that is not there the outcome is given at once. */
static void subscribe(struct clients *clients, struct broker_link *from,
		      const Gatepost__Command *m)
{
	struct id id = id_at(m->id, 0);
	struct connection *c = registry_find(clients->registry, &id);
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;

	if (may_subscribe(c)) {
		subscription_begin(clients->channels, &c->subscriber,
				   channel_link_serial(from), m->ticket, m->subscription);
		return;
	}
	o.ticket = m->ticket;
	o.result = GATEPOST__OUTCOME__RESULT__GONE;
	outcome_send(from, &o);
}

static enum err unsubscribe(struct connection *c, const Gatepost__Command *m,
			    Gatepost__Outcome *o)
{
	struct span reason =
		m->reason.len > 0 ? span_from(m->reason) : span_str("server");

	if (!may_subscribe(c))
		return ERR_NOTFOUND;
	o->subscribed = subscription_unsubscribe(c->clients->channels, &c->subscriber,
						 span_from(m->channel), reason);
	return OK;
}

static enum err execute_one(struct clients *clients, const Gatepost__Command *m,
			    Gatepost__Outcome *o)
{
	struct id id = id_at(m->id, 0);
	struct connection *c = registry_find(clients->registry, &id);

	if (c == NULL)
		return ERR_NOTFOUND;
	if (m->kind == GATEPOST__COMMAND__KIND__SEND) {
		struct blob *frame = websocket_frame(m->frame);
		enum err e = send_to(c, frame);

		blob_unref(frame);
		return e;
	}
	if (m->kind == GATEPOST__COMMAND__KIND__UNSUBSCRIBE)
		return unsubscribe(c, m, o);
	if (c->state != CONNECTION_OPEN)
		return ERR_NOTFOUND;
	if (m->kind == GATEPOST__COMMAND__KIND__APPLY)
		answer_apply(c, m->actions, m->n_actions);
	else if (m->kind == GATEPOST__COMMAND__KIND__CLOSE)
		connection_end(
			c, CAUSE_COMMAND_CLOSE,
			&(struct end_words){(uint16_t)m->code, span_from(m->reason)});
	else
		describe(c, m, o);
	return OK;
}

/* One frame for all of them, of which each outbox gets a reference; a byte of results for each. */
static struct blob *send_to_all(struct clients *clients, const Gatepost__Command *m)
{
	struct blob *frame = websocket_frame(m->frame);
	struct blob *results = blob_alloc(m->ids.len / ID_BYTES);

	for (size_t i = 0; i < results->n; i++) {
		struct id id = id_at(m->ids, i);

		results->p[i] = (uint8_t)result_of(
			send_to(registry_find(clients->registry, &id), frame));
	}
	blob_unref(frame);
	return results;
}

/* With a channel it must also take part in the presence of that. */
static bool is_known(const struct connection *c, struct span channel)
{
	return c != NULL &&
	       (channel.n == 0 || subscription_is_member(&c->subscriber, channel));
}

/* An id that is not known now is never known again: ids are not used twice. */
static struct blob *check_all(struct clients *clients, const Gatepost__Command *m)
{
	struct blob *results = blob_alloc(m->ids.len / ID_BYTES);

	for (size_t i = 0; i < results->n; i++) {
		struct id id = id_at(m->ids, i);
		const struct connection *c = registry_find(clients->registry, &id);

		results->p[i] = (uint8_t)result_of(
			is_known(c, span_from(m->channel)) ? OK : ERR_NOTFOUND);
	}
	return results;
}

void command_execute(struct clients *clients, struct broker_link *from,
		     const Gatepost__Command *m)
{
	Gatepost__Outcome o = GATEPOST__OUTCOME__INIT;
	struct blob *results = NULL;

	if (m->kind == GATEPOST__COMMAND__KIND__SUBSCRIBE) {
		subscribe(clients, from, m);
		return;
	}
	o.ticket = m->ticket;
	if (m->kind == GATEPOST__COMMAND__KIND__SHED) {
		o.result = GATEPOST__OUTCOME__RESULT__OK;
		o.connections = shed_count_open(clients->shed);
		o.reached = m->count > 0 ? shed_begin(clients->shed, m->count) : 0;
	} else if (m->ids.len > 0) {
		results = m->kind == GATEPOST__COMMAND__KIND__KNOW
				  ? check_all(clients, m)
				  : send_to_all(clients, m);
		o.results = (ProtobufCBinaryData){results->n, results->p};
		o.result = GATEPOST__OUTCOME__RESULT__OK;
	} else {
		o.result = result_of(execute_one(clients, m, &o));
	}
	outcome_send(from, &o);
	blob_unref(results);
}
