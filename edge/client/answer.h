#ifndef EDGE_CLIENT_ANSWER_H
#define EDGE_CLIENT_ANSWER_H

/* What the client gets for one of its events. */

#include "edge/client/connection.h"

#include <proto/gatepost.pb-c.h>

/* A broker's answer to e: a reply to the request, a message, a close frame, or nothing. The client may have gone. */
void answer_send(struct connection *c, const struct lane_event *e,
		 const Gatepost__Answer *a);

/*
 * The event is not sent to any broker again (edge/link/poison.h): 502, an error frame, or nothing. Of a connect,
 * which may have been done, a disconnect follows.
 */
void answer_send_error(struct connection *c, const struct lane_event *e);

#endif
