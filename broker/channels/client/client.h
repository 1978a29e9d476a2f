#ifndef BROKER_CHANNELS_CLIENT_CLIENT_H
#define BROKER_CHANNELS_CLIENT_CLIENT_H

/*
 * What clients do with channels: the actions of a message, one after the other, each with exactly one
 * ack or error. All answers of one message go out together.
 *
 *   client_handle → read → access → subscribe, unsubscribe, publish, history, ping → … → fn
 */

#include "broker/channels/client/action.h"
#include "broker/cluster/commands.h"
#include "broker/payload/action.h"
#include "broker/routes/route.h"

struct clients;
struct publishers; /* publish.h */
struct readers;    /* read.h */
struct presence;   /* presence.h */

/* All of it is borrowed until clients_free. */
struct clients_uses {
	struct loop *loop;
	struct store *store;
	struct commands *commands;
	struct publishers *publishers;
	struct readers *readers;
	struct presence *presence;
	struct metrics *metrics; /* may be NULL */
};

struct clients *clients_new(const struct clients_uses *uses);

/* After edges_free and store_free; no fn is called any more. NULL is fine. */
void clients_free(struct clients *c);

/* An event; what it points to lives until fn was called. */
struct client_event {
	const struct invocation *in;
	struct routes *routes;
	/* Is the link to its edge lost, so that another broker may handle it? Then nothing more is begun. */
	bool (*is_lost)(void *arg);
	struct span id; /* echoed by actions that have none of their own; empty: none */
	bool is_trusted; /* a function has chosen the actions: neither rules nor rates hold */
};

/* An action that is not read yet. A string in the place of an object is the channel. */
struct client_todo {
	enum channel_verb verb;
	struct json_value v;
};

/*
 * actions  what the edge does for the client, borrowed until fn returns
 * failure  of the first action that was not done; NULL: all were
 */
typedef void client_fn(void *arg, const struct action *actions, size_t n,
		       const struct failure *failure);

/* The actions of a message on a route of builtin:channels. fn is called once, perhaps before this returns. */
void client_handle(struct clients *c, const struct client_event *e, client_fn *fn,
		   void *arg);

/* These actions, which point into the JSON text; it has been read, and lives as long as e. */
void client_do(struct clients *c, const struct client_event *e, struct span text,
	       const struct client_todo *todos, size_t n, client_fn *fn, void *arg);

#endif
