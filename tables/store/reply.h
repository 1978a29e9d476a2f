#ifndef TABLES_REPLY_H
#define TABLES_REPLY_H

/* Parts of a reply of Redis; no other module includes it. */

#include "base/span.h"

#include <hiredis/hiredis.h>

/* The bytes, borrowed from the reply; none when it is nil or a number. */
static inline struct span reply_span(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS
		       ? span_of(r->str, r->len)
		       : (struct span){0};
}

#endif
