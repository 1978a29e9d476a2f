#ifndef STORE_REPLY_H
#define STORE_REPLY_H

/* Texts of a reply; no other module includes it. */

#include "base/span.h"

struct redisReply;

/* Borrowed from the reply. */
struct span reply_text(const struct redisReply *r);

/* Of each element, in an array that free(3) frees, also when there is none. */
struct span *reply_texts(const struct redisReply *list);

#endif
