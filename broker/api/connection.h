#ifndef BROKER_API_CONNECTION_H
#define BROKER_API_CONNECTION_H

/* /@connections/{id}: one connection, at whatever edge it is. Each of these answers q, now or later. */

#include "broker/cluster/commands.h"
#include "http/server.h"

/* Send the body, of at most max_post bytes. */
void connection_post(struct commands *to, size_t max_post, struct http_request *q,
		     const struct id *id);

/* When it connected, its identity, and when it was last active. */
void connection_get(struct commands *to, struct http_request *q, const struct id *id);

/* Close it, with the code and reason of the query. */
void connection_delete(struct commands *to, struct http_request *q, const struct id *id);

/* Has a push the header X-Gatepost-Binary: true? */
bool connection_wants_binary(const struct http_request *q);

#endif
