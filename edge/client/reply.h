#ifndef EDGE_CLIENT_REPLY_H
#define EDGE_CLIENT_REPLY_H

/*
 * The response to a client's request: the event's answer, or a refusal by the edge.
 * An upgrade gets 101 when its $connect was accepted.
 */

#include "edge/client/connection.h"

#include <proto/gatepost.pb-c.h>

/* The reply to the upgrade, or the response to the request: r of the answer a. The client may have gone. */
void reply_answer(struct connection *c, const Gatepost__Response *r,
		  const Gatepost__Answer *a);

/*
 * A push that came while $connect is being decided: it follows the 101, and is forgotten
 * with a refusal. Takes a reference of its own.
 *
 * returns  OK; ERR_NOTFOUND: nobody may push yet, or this is no upgrade; ERR_BUSY: enough of
 *          them wait already
 */
must_use enum err reply_keep_push(struct connection *c, struct blob *frame);

/*
 * The upgrade was accepted, or may have been (CAUSE_POISONED_CONNECT), but the client cannot get the
 * reply: its disconnect follows its connect.
 *
 * cause  CAUSE_TOO_LATE or CAUSE_POISONED_CONNECT
 */
void reply_discard(struct connection *c, enum end_cause cause);

/*
 * Only in ASKED. No broker takes the request (the store is away, or there is no broker), and its
 * client has waited for some seconds: 503, so that it comes again; what a broker has seen of it goes on.
 */
void reply_tick(struct connection *c, int64_t now);

/* Nobody waits for the answer: a request that no broker has seen is forgotten; a disconnect never is. */
void reply_cancel(struct connection *c);

/* Queue the edge's own response, with the status and the message of `how`. Before OPEN. */
void reply_refuse(struct connection *c, const struct end *how);

#endif
