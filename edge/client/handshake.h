#ifndef EDGE_CLIENT_HANDSHAKE_H
#define EDGE_CLIENT_HANDSHAKE_H

/*
 * What a connection has until it is a WebSocket. The files of HTTP fill it:
 *
 *   http.c    bytes to a question: head, body, event
 *   reply.c   from the answer on: 101, response, refusal
 */

#include "base/address.h"
#include "base/blob.h"
#include "edge/client/clients.h"
#include "ws/accept_key.h"

struct handshake {
	struct clients *clients;
	char peer[ADDRESS_TEXT]; /* the client's address, without the port */
	uint8_t *in;             /* bytes that are not used yet: from at to n */
	size_t at, n, room;
	size_t searched,
		parsed; /* of the head that is not whole: see may_be_whole in http.c */
	struct blob *request; /* a packed Request, until it goes into the event */
	struct blob *body;    /* of a plain request */
	size_t body_n;        /* of it, what has come */
	size_t body_want;
	char key[ACCEPT_KEY_REQUEST];
	char *protocols;     /* the subprotocols offered, as ",a,b," */
	int64_t asked_ms;    /* when its last request was whole; 0: there was none */
	struct blob **early; /* frames that are to follow the 101 */
	size_t n_early, early_bytes;
	size_t counted; /* of held_bytes: in, protocols, request and context */
	bool is_upgrade, keep_alive, head_only;
};

/* peer: of the socket; borrowed. */
struct handshake *handshake_new(struct clients *clients, const struct sockaddr *peer);
void http_abort(struct handshake *h); /* NULL is fine */

/* The bytes that are kept; they stay where they are until the next call. */
struct span handshake_kept(const struct handshake *h);

/* Keep bytes behind those that are kept: they wait for more, or for their turn. */
void handshake_keep(struct handshake *h, struct span in);

/* So many of the kept bytes are used. */
void handshake_use(struct handshake *h, size_t n);

/* Append to the body, whose end has body_want bytes at most: its buffer grows with what has come. */
void handshake_add_body(struct handshake *h, struct span in);
void handshake_drop_body(struct handshake *h);

/*
 * Count its share of the edge's budget anew; the body and pushes that wait for a 101 count by themselves.
 *
 * context  bytes of the packed Context, while that is the request's
 */
void handshake_count(struct handshake *h, size_t context);

#endif
