#ifndef EDGE_CLIENT_ACCEPT_H
#define EDGE_CLIENT_ACCEPT_H

/* Which sockets become connections. */

#include "edge/client/connection.h"

/* A listener_fn; the argument is the struct clients. The socket is a connection's then, or is refused: 503 without a slot, 429 over its address's limits. */
void accept_client(void *clients, int fd, const struct sockaddr *peer);

#endif
