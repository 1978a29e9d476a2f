#ifndef WS_CLIENT_HANDSHAKE_H
#define WS_CLIENT_HANDSHAKE_H

/* The client's side of the opening handshake, as bytes out and bytes in: RFC 6455 4.1. No state. */

#include "base/err.h"
#include "base/span.h"
#include "ws/accept_key.h"

struct client_handshake {
	const char *host;       /* "127.0.0.1:8080" */
	const char *target;     /* "/dev" */
	const char *user_agent; /* NULL: no such header */
	char key[ACCEPT_KEY_REQUEST];
};

/* The request, as a string that the caller frees. */
char *client_handshake_request(const struct client_handshake *h);

/*
 * Read the server's response.
 *
 * in       what has come so far, borrowed
 * status   gets the HTTP status once the head is whole
 * used     gets the length of the head once it is whole; frames follow it
 * returns  OK: a 101 that is right to the last header; ERR_AGAIN when the head is not
 *          whole; ERR_DENIED for another status; ERR_MALFORMED when this is not HTTP/1.1,
 *          or a 101 whose Upgrade, Connection or Sec-WebSocket-Accept is wrong
 */
must_use enum err client_handshake_response(const struct client_handshake *h,
					    struct span in, unsigned *status,
					    size_t *used);

#endif
