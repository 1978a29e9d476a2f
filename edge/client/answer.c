#include "edge/client/answer.h"

#include "base/mem.h"
#include "edge/channels/subscription.h"
#include "edge/client/reply.h"
#include "edge/client/websocket.h"
#include "proto/batch.h"

#include <stdlib.h>

static const char ERROR_TEXT[] =
	"Internal server error"; /* as of a function that failed */

static void send_frame(struct connection *c, enum frame_op op, ProtobufCBinaryData body)
{
	if (websocket_is_answering(c))
		websocket_send(c, frame_blob(op, span_from(body)));
}

static void send_close(struct connection *c, const Gatepost__Close *m)
{
	if (c->state == CONNECTION_OPEN)
		connection_end(
			c, CAUSE_FUNCTION_CLOSE,
			&(struct end_words){(uint16_t)m->code, span_from(m->reason)});
}

static void activate(struct connection *c, const Gatepost__Activate *m)
{
	if (c->state == CONNECTION_OPEN)
		subscription_activate(c->clients->channels, &c->subscriber, m);
}

static void unsubscribe(struct connection *c, const Gatepost__Unsubscribe *m)
{
	subscription_drop(c->clients->channels, &c->subscriber, span_from(m->channel));
}

static void apply(struct connection *c, const Gatepost__Action *m)
{
	switch ((int)m->body_case) {
	case GATEPOST__ACTION__BODY_TEXT: send_frame(c, FRAME_TEXT, m->text); return;
	case GATEPOST__ACTION__BODY_BINARY:
		send_frame(c, FRAME_BINARY, m->binary);
		return;
	case GATEPOST__ACTION__BODY_CLOSE: send_close(c, m->close); return;
	case GATEPOST__ACTION__BODY_ACTIVATE: activate(c, m->activate); return;
	case GATEPOST__ACTION__BODY_UNSUBSCRIBE: unsubscribe(c, m->unsubscribe); return;
	}
}

void answer_apply(struct connection *c, Gatepost__Action *const *actions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		apply(c, actions[i]);
}

void answer_send(struct connection *c, const Gatepost__Answer *a)
{
	size_t i = 0;

	if (a->n_actions == 0)
		return;
	if (a->actions[0]->body_case == GATEPOST__ACTION__BODY_RESPONSE)
		reply_answer(c, a->actions[i++]->response, a);
	answer_apply(c, a->actions + i, a->n_actions - i);
}

static void send_error_frame(struct connection *c, const struct lane_event *e)
{
	char id[ID_TEXT], request[ID_TEXT];
	char *text = xasprintf(
		"{\"message\": \"%s\", \"connectionId\":\"%s\", \"requestId\":\"%s\"}",
		ERROR_TEXT, id_text(&c->lane.id, id),
		id_request(&c->lane.id, e->seq, request));

	websocket_send(c, frame_blob(FRAME_TEXT, span_str(text)));
	free(text);
}

void answer_send_error(struct connection *c, const struct lane_event *e)
{
	if (e->kind == GATEPOST__EVENT__KIND__MESSAGE && websocket_is_answering(c))
		send_error_frame(c, e);
	/* Its row may stand, and its function may have accepted it: as when an edge dies now. */
	if (e->kind == GATEPOST__EVENT__KIND__CONNECT)
		reply_discard(c, CAUSE_POISONED_CONNECT);
	if (e->kind == GATEPOST__EVENT__KIND__HTTP)
		connection_end(c, CAUSE_POISONED_REQUEST, NULL);
}
