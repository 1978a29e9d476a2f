#ifndef EDGE_CLIENT_HTTP_H
#define EDGE_CLIENT_HTTP_H

/*
 * HTTP on a connection: requests come in and become events. What they are answered with
 * is reply.h.
 */

#include "edge/client/connection.h"

/* What a new connection speaks. */
extern const struct connection_protocol http_protocol;

#endif
