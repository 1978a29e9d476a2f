#ifndef EDGE_CLIENT_HTTP_INTERNAL_H
#define EDGE_CLIENT_HTTP_INTERNAL_H

/*
 * What a connection has until it is a WebSocket. The two rooms of HTTP share it, and no other includes it:
 *
 *   http.c   bytes to a question: head, body, event
 *   reply.c     from the answer on: 101, response, refusal
 */

#include "edge/client/http.h"
#include "edge/client/upgrade.h"
#include "ws/accept_key.h"

struct handshake {
	struct edge *edge;
	char peer[ADDRESS_TEXT]; /* the client's address, without the port */
	uint8_t *in;             /* bytes that are not used yet: from at to n */
	size_t at, n, room;
	size_t searched, parsed; /* of the head that is not whole: see may_be_whole */
	struct blob *request;    /* a packed Request, until it goes into the event */
	struct blob *body;       /* of a plain request */
	size_t body_n;           /* of it, what has come */
	size_t body_want;
	char key[ACCEPT_KEY_REQUEST];
	char *protocols; /* the subprotocols offered, as ",a,b," */
	int64_t asked_ms;
	struct blob **early; /* frames that are to follow the 101 */
	size_t n_early, early_bytes;
	size_t counted; /* of held_bytes: in, protocols, request and context */
	bool is_upgrade, keep_alive, head_only;
};

#endif
