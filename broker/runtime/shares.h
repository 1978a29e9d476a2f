#ifndef BROKER_RUNTIME_SHARES_H
#define BROKER_RUNTIME_SHARES_H

/*
 * Invocations that share something scarce (workers, connections to a host), fairly among the
 * clients they are for. One of a client that has none under way goes before those of clients
 * that have, and among the former those that ask for one at a time have three turns of four;
 * else clients take turns. The caller decides how many a client with some in progress may have.
 *
 *   wait --its turn--> begin --it is over--> leave
 *     '--------------- gives up ------------> leave
 */

#include "base/span.h"

#include <stdbool.h>
#include <sys/queue.h>

struct client_share;
struct shares;

/* Lives in what waits. */
struct share {
	TAILQ_ENTRY(share) in;
	struct client_share *of; /* NULL: has not come, or has left */
	bool is_waiting;
	void *owner; /* for the caller */
};

enum { SHARE_KEY = 16 }; /* the longest name of a client */

struct shares *shares_new(void);
void shares_free(struct shares *s); /* NULL is fine; all have left */

/* s waits, after the others of this client; or before them, and before other clients. */
void shares_wait(struct shares *ss, struct share *s, struct span who, bool first);

/* The next one; NULL: none. more: include clients that have some already. */
struct share *shares_next(const struct shares *ss, bool more);

/* It waits no more: it is under way. */
void shares_begin(struct shares *ss, struct share *s);

/* It is over, or waits no longer. */
void shares_leave(struct shares *ss, struct share *s);

/* Has its client nothing else here? */
bool shares_is_only(const struct share *s);

#endif
