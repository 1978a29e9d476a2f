#ifndef BROKER_EVENTS_CHOSEN_H
#define BROKER_EVENTS_CHOSEN_H

/* What a function wants done with channels for its client: lists in its result, or in an authorizer's context. */

#include "base/blob.h"
#include "broker/channels/client/client.h"

struct chosen_list {
	enum channel_verb
		verb;     /* SUBSCRIBE: of channels, or objects; PUBLISH: of objects */
	struct span json; /* borrowed; empty: none */
};

struct chosen {
	struct blob *text; /* a copy of all lists, which todos point into */
	struct client_todo todos[ACTIONS_MOST];
	size_t n;
};

/*
 * All of them, in their order.
 *
 * why      NULL, or a sentence for the log: one is not a list, or there are more than ACTIONS_MOST
 * returns  freed by chosen_free; NULL when nothing is chosen, or with why
 */
struct chosen *chosen_new(const struct chosen_list *lists, size_t n, const char **why);
void chosen_free(struct chosen *c); /* NULL is fine */

/* Do them for the client of e, which is trusted then; as client_do. */
void chosen_do(const struct chosen *c, struct clients *clients,
	       const struct client_event *e, client_fn *fn, void *arg);

#endif
