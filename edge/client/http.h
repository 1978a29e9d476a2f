#ifndef EDGE_CLIENT_HTTP_H
#define EDGE_CLIENT_HTTP_H

/*
 * HTTP on a connection: requests come in and become events. reply.h answers
 * them.
 */

#include "edge/client/connection.h"

/* The protocol of a new connection. */
extern const struct connection_protocol http_protocol;

#endif
