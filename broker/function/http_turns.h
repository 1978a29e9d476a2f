#ifndef BROKER_FUNCTION_HTTP_TURNS_H
#define BROKER_FUNCTION_HTTP_TURNS_H

/*
 * Who may ask a host now, and who waits for a turn: so many at a time for each host, the
 * others fairly (shares.h). Half of the turns are for clients that have none. curl has such a
 * list of its own, but it walks all of it for each request that ends.
 *
 *   join --there is room--> its turn --leave--> the next one has its turn
 *     '----- none --------> waits ----leave--> gone
 */

#include "broker/runtime/shares.h"

struct http_host;
struct http_turns;

/* Lives in what waits. */
struct http_turn {
	struct share share;
	struct http_host *host; /* NULL: has not joined, or has left */
	void *owner;            /* for who calls */
};

/* most  of one host at a time, 1 or more */
struct http_turns *http_turns_new(size_t most);
void http_turns_free(struct http_turns *ts); /* NULL is fine; all have left */

/*
 * who is the client that it is for. True: it is t's turn. A host is what stands before the path in the URL, as it is written:
 * one that is written in two ways has twice the turns.
 */
bool http_turns_join(struct http_turns *ts, const char *url, struct span who,
		     struct http_turn *t);

/* t has had its turn, or waits no longer. Returns whose turn it is now; NULL: nobody's. */
struct http_turn *http_turns_leave(struct http_turns *ts, struct http_turn *t);

#endif
