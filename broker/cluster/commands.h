#ifndef BROKER_CLUSTER_COMMANDS_H
#define BROKER_CLUSTER_COMMANDS_H

/* Commands for a connection at any edge: sent there, and completed with its Outcome. */

#include "broker/cluster/edges.h"
#include "proto/id.h"

struct commands;
struct command; /* one that is under way: from the call that asked until its fn */

/* A command fails with ERR_DOWN after timeout_ms. loop, st and edges are borrowed until commands_free; m may be NULL. */
struct commands *commands_new(struct loop *loop, struct store *st, struct edges *edges,
			      struct metrics *m, int64_t timeout_ms);

/* After edges_free and store_free: no fn is called any more. NULL is fine. */
void commands_free(struct commands *c);

/*
 * What became of it; called once, never from inside the call that asked.
 *
 * e  OK: done (LOOK: o has the context); ERR_NOTFOUND: no such connection; ERR_BUSY: its outbox
 *    is full, or its edge does not keep up; ERR_DOWN: its edge is not linked or did not answer:
 *    done or not
 * o  NULL unless an edge has answered
 */
typedef void command_fn(void *arg, enum err e, const Gatepost__Outcome *o);

/* A push; body is borrowed. */
struct push {
	struct span body;
	bool binary;
};

/* One message to the client. */
struct command *command_send(struct commands *c, const struct id *id,
			     const struct push *push, command_fn *fn, void *arg);

/*
 * The same message to many clients of one edge.
 *
 * ids      of ID_BYTES each, one behind the other; all of this edge
 * fn       OK: o->results has a byte for each id; else what became of all of them
 * returns  NULL when the edge is not linked here; fn is not called then
 */
struct command *command_send_many(struct commands *c, uint16_t edge, struct span ids,
				  const struct push *push, command_fn *fn, void *arg);

/* Close it with this code and reason. */
struct command *command_close(struct commands *c, const struct id *id, uint16_t code,
			      const char *reason, command_fn *fn, void *arg);

/* What is known of it. */
struct command *command_get(struct commands *c, const struct id *id, command_fn *fn,
			    void *arg);

/* The same; o->subscribed says whether it is subscribed to the channel. */
struct command *command_look_at(struct commands *c, const struct id *id,
				struct span channel, command_fn *fn, void *arg);

/* Which of these ids does the edge know? With a channel: which take part in its presence? fn and returns as of command_send_many. */
struct command *command_query(struct commands *c, uint16_t edge, struct span ids,
			      struct span channel, command_fn *fn, void *arg);

/*
 * Puts what the command is about into it, in memory of b; not called when the edge is not
 * linked, or its credit is used up.
 */
typedef void command_fill_fn(void *arg, struct batch *b, Gatepost__Command *to);

/*
 * Make a subscription of the connection, which is pending until it is activated.
 *
 * fill    sets to->subscription; called with filler, before this returns or never
 * fn      OK: each broker has confirmed the edge's interest; o says whether the subscription
 *         was live before. ERR_BUSY: with o, the connection has too many of them
 */
struct command *command_subscribe(struct commands *c, const struct id *id,
				  command_fill_fn *fill, void *filler, command_fn *fn,
				  void *arg);

/* End a subscription; o->subscribed: there was one. */
struct command *command_unsubscribe(struct commands *c, const struct id *id,
				    struct span channel, command_fn *fn, void *arg);

/*
 * Apply actions, as of an answer to a message.
 *
 * bytes   of their bodies
 * fill    sets to->actions; called as of command_subscribe
 */
struct command *command_apply(struct commands *c, const struct id *id, size_t bytes,
			      command_fill_fn *fill, void *filler, command_fn *fn,
			      void *arg);

/* The linked edges. */
void commands_each_edge(const struct commands *c, edges_fn *fn, void *arg);

/*
 * Close so many of an edge's connections, one after the other: 0 only counts them.
 *
 * fn  OK: o has `connections`, those that are open, and `reached`, how many of them it will close;
 *     ERR_DOWN too when the edge is not linked (any more)
 */
struct command *command_shed(struct commands *c, uint16_t edge, uint32_t count,
			     command_fn *fn, void *arg);

/* fn is not called any more. The edge executes the command nevertheless. */
void command_cancel(struct command *m);

/* The asker of command_send_many counts its outcomes, one for each connection. */
void commands_count(struct commands *c, size_t gone, size_t full);

/* For the callbacks of edges: an Outcome, and an edge whose link has ended. */
void commands_outcome(struct commands *c, struct edge_link *from,
		      const Gatepost__Outcome *o);
void commands_lost(struct commands *c, struct edge_link *edge);

#endif
