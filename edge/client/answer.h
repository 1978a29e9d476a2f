#ifndef EDGE_CLIENT_ANSWER_H
#define EDGE_CLIENT_ANSWER_H

/* What the client gets for one of its events. */

#include "edge/client/connection.h"

#include <proto/gatepost.pb-c.h>

/*
 * Apply the actions of a broker's answer in their order: a reply to the request, messages, subscriptions, a close frame. Those
 * that come too late for the client have no effect: it may have gone, or be closing.
 *
 * a        edge/link/downlink.h has checked that the event may have these actions
 */
void answer_send(struct connection *c, const Gatepost__Answer *a);

/* The same of actions that belong to no event: a command's. */
void answer_apply(struct connection *c, Gatepost__Action *const *actions, size_t n);

/*
 * The event is not sent to any broker again (edge/link/poison.h): 502, an error frame, or nothing. Of a connect,
 * which may have been done, a disconnect follows.
 */
void answer_send_error(struct connection *c, const struct lane_event *e);

#endif
