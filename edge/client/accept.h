#ifndef EDGE_CLIENT_ACCEPT_H
#define EDGE_CLIENT_ACCEPT_H

/* Which sockets become connections. */

#include "edge/client/connection.h"

/* Takes the socket: a connection, or a refusal (503 without a slot, 429 over its address's limits) and its end. */
void accept_client(struct edge *edge, int fd, const struct sockaddr *peer);

#endif
