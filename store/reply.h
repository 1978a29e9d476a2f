#ifndef STORE_REPLY_H
#define STORE_REPLY_H

/* Parts of a reply; no other module includes it. */

#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

struct redisReply;

/* Borrowed from the reply. */
struct span reply_text(const struct redisReply *r);

/* Of each element, in an array that free(3) frees, also when there is none. */
struct span *reply_texts(const struct redisReply *list);

/*
 * Of HSCAN, SSCAN, ZSCAN: what was found, and where to go on (0: that was all).
 *
 * returns  ERR_MALFORMED when it is no such reply
 */
must_use enum err reply_scan(const struct redisReply *reply,
			     const struct redisReply **found, uint64_t *next);

#endif
