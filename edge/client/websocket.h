#ifndef EDGE_CLIENT_WEBSOCKET_H
#define EDGE_CLIENT_WEBSOCKET_H

/* WebSocket on a connection, from the 101 to the last close frame (RFC 6455 5 to 7). */

#include "edge/client/connection.h"

#include <proto/gatepost.pb-c.h>

/* The 101 is queued: OPEN, and WebSocket from now on. */
void websocket_open(struct connection *c);

/* A message of a broker as a frame; the caller holds the one reference. */
struct blob *websocket_frame(const Gatepost__Frame *f);

/* One message to the client; takes frame (which others may share). Only in OPEN. */
void websocket_send(struct connection *c, struct blob *frame);

/* Does the client still get answers to its messages? */
bool websocket_is_answering(const struct connection *c);

#endif
