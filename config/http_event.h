#ifndef CONFIG_HTTP_EVENT_H
#define CONFIG_HTTP_EVENT_H

/*
 * http: GET ping                          httpApi: GET /ping
 * http: { path: ping, method: get }       httpApi: { method: GET, path: /ping }
 *                                         httpApi: '*'
 *
 * An event with an authorizer, or with private: true, is left out, with an info line:
 * HTTP routes are open, and one that shall not be must not become so.
 */

#include "config/value.h"

/* A REST API's event (payload 1.0). */
void http_event_read(struct reading *r, size_t function, const struct value *v);

/* An HTTP API's (payload 2.0). */
void http_event_read_v2(struct reading *r, size_t function, const struct value *v);

#endif
