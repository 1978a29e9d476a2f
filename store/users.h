#ifndef STORE_USERS_H
#define STORE_USERS_H

/*
 * Which connections a user has: a set of connection ids, written with each row
 * (connections.h) and removed when the connection has ended. After a crash some may be left
 * that have no row: who reads the set checks that, and removes them.
 */

#include "base/span.h"
#include "store/store.h"

enum { USER_NAME_MAX = 255 };

/* Is it a user that is kept here: 1 to 255 bytes? */
bool users_may_be(struct span user);

/* This connection is not (any more) one of the user's. fn may be NULL. OK also when it was not. */
void store_user_remove(struct store *st, struct span user, struct span id,
		       store_done_fn *fn, void *arg);

/*
 * Ids of a user's connections, some at a time, and each at least once.
 *
 * cursor  0 to begin, then the `next` of the answer before
 * ids     borrowed until fn returns; NULL unless OK
 * next    0: that was all
 */
typedef void store_user_fn(void *arg, enum err e, const struct span *ids, size_t n,
			   uint64_t next);
void store_user_scan(struct store *st, struct span user, uint64_t cursor,
		     store_user_fn *fn, void *arg);

#endif
