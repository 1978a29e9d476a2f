#ifndef EDGE_CLIENT_WEBSOCKET_H
#define EDGE_CLIENT_WEBSOCKET_H

/* WebSocket on a connection, from the 101 to the last close frame (RFC 6455 5 to 7). */

#include "edge/client/connection.h"

#include <proto/gatepost.pb-c.h>

/* The close code of a connection whose caller's leave has ended (of those for applications, as HTTP's 401). */
enum { WEBSOCKET_EXPIRED = 4401 };

/* The 101 is queued: OPEN. */
void websocket_open(struct connection *c);

/* Bytes for OPEN or CLOSING, when there is no backlog. What goes beyond the limits becomes one. */
void websocket_feed(struct connection *c, struct span in);

/* There may be room for some of the backlog again. In any state. */
void websocket_resume(struct connection *c);

/* Forget what is not whole, and what is not parsed. */
void websocket_drop(struct connection *c);

/* A message of a broker as a frame; the caller holds the one reference. */
struct blob *websocket_frame(const Gatepost__Frame *f);

/* One message to the client; takes frame (which others may share). Only in OPEN. */
void websocket_send(struct connection *c, struct blob *frame);

/*
 * Begin the close handshake. Only in OPEN.
 *
 * code, reason  go to the client and into the disconnect event
 */
void websocket_close(struct connection *c, uint16_t code, struct span reason);

/*
 * Begin the close handshake because the process ends: the answers to what the client has said
 * go before the close frame, and nothing more is read. What was read is parsed before that, as
 * far as it gets within close-timeout. Only in OPEN.
 */
void websocket_retire(struct connection *c, uint16_t code, struct span reason);

/* The socket ended without a close handshake: the disconnect event says code. Asking again changes nothing. */
void websocket_lost(struct connection *c, uint16_t code, const char *reason);

/* An event of the lane is done: a close frame that waited for it may go now. */
void websocket_answered(struct connection *c);

/* The close frame that waits goes now, whatever is unanswered. */
void websocket_farewell(struct connection *c);

/* Are answers to its messages still for the client? */
bool websocket_is_answering(const struct connection *c);

/* Pings, dead peers, idle ones. Only in OPEN. */
void websocket_tick(struct connection *c, int64_t now);

#endif
