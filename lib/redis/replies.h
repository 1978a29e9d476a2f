#ifndef REDIS_REPLIES_H
#define REDIS_REPLIES_H

/*
 * Replies in an arena: those with thousands of elements cost hiredis two allocations
 * for each. One reply is read at a time, and it is done with before the next one.
 */

#include "base/arena.h"

#include <hiredis/hiredis.h>

/*
 * A reader whose replies lie in *replies; never NULL. freeReplyObject is not for them.
 *
 * replies  an arena is put there when there is none, the caller's to free; its place outlives the reader
 */
redisReader *redis_replies_reader(struct arena **replies);

/* No reply is in use any more, and none was begun: free them when they are large. */
void redis_replies_done(struct arena **replies);

#endif
