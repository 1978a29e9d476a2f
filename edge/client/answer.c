#include "edge/client/answer.h"

#include "base/mem.h"
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

void answer_send(struct connection *c, const Gatepost__Answer *a)
{
	for (size_t i = 0; i < a->n_actions; i++) {
		const Gatepost__Action *m = a->actions[i];

		switch ((int)m->body_case) {
		case GATEPOST__ACTION__BODY_RESPONSE:
			reply_answer(c, m->response, a);
			break;
		case GATEPOST__ACTION__BODY_TEXT:
			send_frame(c, FRAME_TEXT, m->text);
			break;
		case GATEPOST__ACTION__BODY_BINARY:
			send_frame(c, FRAME_BINARY, m->binary);
			break;
		case GATEPOST__ACTION__BODY_CLOSE: send_close(c, m->close); break;
		}
	}
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
