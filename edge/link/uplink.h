#ifndef EDGE_LINK_UPLINK_H
#define EDGE_LINK_UPLINK_H

/*
 * From here up to the brokers: which there are, which is a lane's home, and what
 * each of them is told. An event goes up as soon as its home has credit; it is kept
 * in its lane until it is answered, and goes up again when its home is lost.
 */

#include "edge/client/connection.h"

#include <proto/gatepost.pb-c.h>

struct uplink;

struct uplink *uplink_new(struct edge *edge, void *zctx);
void uplink_free(struct uplink *u); /* NULL is fine */

/* An upgrade (CONNECT) or a plain request (HTTP) has come. Takes request and body (NULL: none). */
void uplink_request(struct uplink *u, struct connection *c, uint8_t kind,
		    struct blob *request, struct blob *body);

/* A message has come. Takes body. */
void uplink_message(struct uplink *u, struct connection *c, struct blob *body,
		    bool binary);

/* The connection has ended. */
void uplink_disconnect(struct uplink *u, struct connection *c, uint16_t code,
		       struct span reason);

/* Answer a command, on the link that it came by. */
void uplink_outcome(struct broker *from, const Gatepost__Outcome *o);

/* Tell the broker of a connection that came to be open after the roster was told. */
void uplink_roster(struct broker *to, struct connection *c);

/* Tell all brokers that this is the end: the edge's number may go. */
void uplink_leave(struct uplink *u);

/* The event could not be done for now: it, and what follows it, go up again after a pause, to another broker if there is one. */
void uplink_retry(struct uplink *u, struct connection *c, struct lane_event *e);

/* An event of the lane is done: the next one may go. */
void uplink_next(struct uplink *u, struct connection *c);

/* The broker gives back the credit of an event that it has answered. */
void uplink_credit(struct broker *from, const struct lane_event *e);

/* NULL when a broker is there; else what is missing. */
const char *uplink_missing(const struct uplink *u);

/* Brokers with a link that is up. */
int64_t uplink_brokers(const struct uplink *u);

/* Send what this turn has produced; a hook of the loop. */
void uplink_flush(void *uplink);

#endif
