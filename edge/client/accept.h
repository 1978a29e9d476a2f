#ifndef EDGE_CLIENT_ACCEPT_H
#define EDGE_CLIENT_ACCEPT_H

/* Accepts sockets as connections, or refuses them. */

#include "edge/client/connection.h"

/* A listener_fn; the argument is the struct clients. The socket becomes a connection, or is refused: 503 without a slot, 429 over the limits of its address. */
void accept_client(void *clients, int fd, const struct sockaddr *peer);

#endif
