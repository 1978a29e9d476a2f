#ifndef EDGE_WEBSOCKET_H
#define EDGE_WEBSOCKET_H

/* WebSocket on a connection, from the 101 to the last close frame (RFC 6455 5 to 7). */

#include "edge/connection.h"

/* The 101 is queued: OPEN. rest: bytes that came with the request. */
void websocket_open(struct connection *c, struct span rest);

/* Bytes for OPEN or CLOSING. */
void websocket_feed(struct connection *c, struct span in);

/* One message to the client; takes frame (which others may share). Only in OPEN. */
void websocket_send(struct connection *c, struct blob *frame);

/*
 * Begin the close handshake. Only in OPEN.
 *
 * code, reason  go to the client and into the disconnect event
 */
void websocket_close(struct connection *c, uint16_t code, struct span reason);

/* The socket ended without a close handshake: the disconnect event says code. Asking again changes nothing. */
void websocket_lost(struct connection *c, uint16_t code, const char *reason);

/* Pings, dead peers, idle ones. Only in OPEN. */
void websocket_tick(struct connection *c, int64_t now);

#endif
