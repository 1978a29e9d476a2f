#include "edge/client/answer.h"

#include "base/mem.h"
#include "edge/client/reply.h"
#include "edge/client/websocket.h"
#include "proto/batch.h"

#include <stdlib.h>

static const char ERROR_TEXT[] =
	"Internal server error"; /* as of a function that failed */

void answer_send(struct connection *c, const struct lane_event *e,
		 const Gatepost__Answer *a)
{
	bool request = e->kind == GATEPOST__EVENT__KIND__CONNECT ||
		       e->kind == GATEPOST__EVENT__KIND__HTTP;

	if (request && a->response != NULL)
		reply_answer(c, a);
	else if (a->close != 0 && c->state == CONNECTION_OPEN)
		connection_end(c, CAUSE_FUNCTION_CLOSE,
			       &(struct end_words){(uint16_t)a->close,
						   span_from(a->close_reason)});
	else if (a->frame != NULL && websocket_is_answering(c))
		websocket_send(c, websocket_frame(a->frame));
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
		verdict_discard(c, CAUSE_POISONED_CONNECT);
	if (e->kind == GATEPOST__EVENT__KIND__HTTP)
		connection_end(c, CAUSE_POISONED_REQUEST, NULL);
}
