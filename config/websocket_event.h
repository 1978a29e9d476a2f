#ifndef CONFIG_WEBSOCKET_EVENT_H
#define CONFIG_WEBSOCKET_EVENT_H

/*
 * websocket: ROUTE
 * websocket:
 *   route: ROUTE
 *   routeResponseSelectionExpression: $default   # two-way
 *   authorizer: …                                # $connect alone
 *   concurrency: serial                          # or parallel (ours)
 */

#include "config/value.h"

/* Add the route; of two with one key the last counts. */
void websocket_event_read(struct reading *r, size_t function, const struct value *v);

#endif
