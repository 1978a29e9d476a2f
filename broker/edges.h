#ifndef BROKER_EDGES_H
#define BROKER_EDGES_H

/*
 * The edges, as a broker sees them: one ROUTER, and a link for each that has said Hello.
 * Here is what comes in, who is there, and the clock that tells whether this process
 * has been stopped.
 */

#include "broker/broker.h"
#include "broker/edge_link.h"

struct edges;

/* NULL after an error line when conf.bind cannot be bound. */
struct edges *edges_new(struct broker *b, void *zctx);
void edges_free(struct edges *p); /* NULL is fine */

/* What edges are to connect to; lives as long as p. */
const char *edges_endpoint(const struct edges *p);

/* The edge with this number, if its link is up; NULL otherwise. */
struct edge_link *edges_find(const struct edges *p, uint16_t number);

/* Links that are up. */
int64_t edges_count(const struct edges *p);

/* Tell all edges who the brokers are. */
void edges_tell_members(struct edges *p);

/* The store may have lost their leases: renew them all now. */
void edges_renew(struct edges *p);

/* Ask all edges for no new lanes. */
void edges_leave(struct edges *p);

/* Was this process stopped at some time since since_ms (loop_now)? Then what was late was not others' fault. */
bool edges_were_stopped(struct edges *p, int64_t since_ms);

/* Send what this turn has produced; a hook of the loop. */
void edges_flush(void *edges);

#endif
