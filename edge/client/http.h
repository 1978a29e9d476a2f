#ifndef EDGE_CLIENT_HTTP_H
#define EDGE_CLIENT_HTTP_H

/*
 * HTTP on a connection: requests come in and become events. What they are answered with
 * is reply.h.
 */

#include "edge/client/connection.h"

void handshake_begin(struct connection *c, const struct sockaddr *peer);
void handshake_free(struct handshake *h); /* NULL is fine */

/* Bytes for HEAD or BODY. */
void handshake_feed(struct connection *c, struct span in);

/* The request was answered, and the client may ask again: HEAD. */
void handshake_next(struct connection *c);

#endif
