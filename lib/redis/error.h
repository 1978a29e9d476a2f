#ifndef REDIS_ERROR_H
#define REDIS_ERROR_H

/* What to do about an error reply of Redis: for the caller, and for the operator. */

#include "base/err.h"

#include <stdbool.h>

/* Did Redis only mean that it has not got the script (any more)? */
bool redis_error_is_noscript(const char *text);

/* Does it take no writes because it is a replica (now)? */
bool redis_error_is_replica(const char *text);

/*
 * Turn an error reply into a code, after a log line (at most one a second) that says
 * what to do about it.
 *
 * text     "WRONGTYPE Operation against a key holding the wrong kind of value"
 * command  "HSET"
 * key      the key that the command named, a script's all; "" for none
 * returns  ERR_DENIED when the keys have different hash tags, and the server is a node of a cluster;
 *          ERR_BUSY when nothing was done, and Redis may take the same command later;
 *          ERR_MALFORMED when it will not; ERR_DOWN when a script was stopped in the middle by
 *          the ACL, and may have written before
 * source   script.c of Redis 6 and 7: OOM, READONLY, MISCONF and NOREPLICAS stop a script
 *          at its first write or not at all
 */
must_use enum err redis_error_take(const char *text, const char *command,
				   const char *key);

#endif
