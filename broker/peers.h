#ifndef BROKER_PEERS_H
#define BROKER_PEERS_H

/*
 * The edges, as a broker sees them: one ROUTER, and a peer for each that has said Hello.
 * Here is what comes in, who is there, and the clock that tells whether this process
 * has been stopped.
 */

#include "broker/broker.h"
#include "broker/peer.h"

struct peers;

/* NULL after an error line when conf.bind cannot be bound. */
struct peers *peers_new(struct broker *b, void *zctx);
void peers_free(struct peers *p); /* NULL is fine */

/* What edges are to connect to; lives as long as p. */
const char *peers_endpoint(const struct peers *p);

/* The edge with this number, if its link is up; NULL otherwise. */
struct peer *peers_find(const struct peers *p, uint16_t number);

/* Links that are up. */
int64_t peers_count(const struct peers *p);

/* Connections to the endpoint, whether or not an edge has said Hello through them. */
int64_t peers_connections(const struct peers *p);

/* Tell all edges who the brokers are. */
void peers_tell_members(struct peers *p);

/* The store may have lost their leases: renew them all now. */
void peers_renew(struct peers *p);

/* Ask all edges for no new lanes. */
void peers_leave(struct peers *p);

/* Was this process stopped at some time since since_ms (loop_now)? Then what was late was not others' fault. */
bool peers_were_stopped(struct peers *p, int64_t since_ms);

/* Send what this turn has produced; a hook of the loop. */
void peers_flush(void *peers);

#endif
