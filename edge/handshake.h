#ifndef EDGE_HANDSHAKE_H
#define EDGE_HANDSHAKE_H

/*
 * HTTP on a connection: requests come in, become events, and their answers go out.
 * A request for an upgrade is answered with 101 when its $connect was.
 */

#include "edge/connection.h"

#include <proto/gatepost.pb-c.h>

void handshake_begin(struct connection *c, const struct sockaddr *peer);
void handshake_free(struct handshake *h); /* NULL is fine */

/* Bytes for HEAD or BODY. */
void handshake_feed(struct connection *c, struct span in);

/* The verdict on the upgrade, or the response to the request (a has one); the client may be gone. */
void handshake_answer(struct connection *c, const Gatepost__Answer *a);

/*
 * A push that came while $connect is being decided: it follows the 101, and is forgotten
 * with a refusal. Takes a reference of its own.
 *
 * returns  OK; ERR_NOTFOUND: nobody may push yet, or this is no upgrade; ERR_BUSY: enough of
 *          them wait already
 */
must_use enum err handshake_keep(struct connection *c, struct blob *frame);

/* The state's deadline has passed. */
void handshake_late(struct connection *c);

/*
 * Only in ASKED. No broker takes the request (the store is away, or there is no broker), and its
 * client has waited for some seconds: 503, so that it comes again; what a broker has seen of it goes on.
 */
void handshake_tick(struct connection *c, int64_t now);

/* Nobody waits for the answer: a request that no broker has seen is forgotten. */
void handshake_forget(struct connection *c);

/*
 * The process ends: 503, also to an upgrade that is being decided. A plain request that is being
 * answered goes on, and its socket is closed then. Before OPEN.
 *
 * returns  whether there was something to close
 */
bool handshake_drain(struct connection *c);

/* Whoever waits for an upgrade has gone when its end is closed; a plain request may be half-closed. */
bool handshake_is_upgrade(const struct handshake *h);

#endif
