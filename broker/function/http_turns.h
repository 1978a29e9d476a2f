#ifndef BROKER_FUNCTION_HTTP_TURNS_H
#define BROKER_FUNCTION_HTTP_TURNS_H

/*
 * Limits the requests to each host; the others wait for a turn, fairly (shares.h). Half of the
 * turns are for clients that have none. curl has such a list too, but walks all of it for
 * each request that ends.
 *
 *   join --a free turn--> its turn --leave--> the next one has its turn
 *     '----- none ------> waits ----leave--> removed
 */

#include "broker/runtime/shares.h"

struct http_host;
struct http_turns;

/* Embedded in the request. */
struct http_turn {
	struct share share;
	struct http_host *host; /* NULL: has not joined, or has left */
	void *owner;            /* for the caller */
};

/* most  of one host at a time, 1 or more */
struct http_turns *http_turns_new(size_t most);
void http_turns_free(struct http_turns *ts); /* NULL is fine; all have left */

/*
 * who: the client. True: t has its turn. The host is the part of the URL before the path, as it is written:
 * a host that is written in two ways has twice the turns.
 */
bool http_turns_join(struct http_turns *ts, const char *url, struct span who,
		     struct http_turn *t);

/* Ends the turn or the wait of t. Returns the one that has a turn now; NULL: none. */
struct http_turn *http_turns_leave(struct http_turns *ts, struct http_turn *t);

#endif
