#ifndef BROKER_EVENTS_CHOOSE_H
#define BROKER_EVENTS_CHOOSE_H

/* Which route serves an event. */

#include "broker/events/call.h"

/*
 * Once, before the call enters its lane: sets the route of its kind (NULL: there is none),
 * in.route, HTTP: the path below the stage, and whether it may run in parallel.
 */
void choose_route(struct call *c);

/* Log why this message has no route of its own. goes: what is used instead, "$default". */
void choose_log_unrouted(const struct call *c, const char *goes);

#endif
