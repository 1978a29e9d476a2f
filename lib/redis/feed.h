#ifndef REDIS_FEED_H
#define REDIS_FEED_H

/* From libevent's bytes to hiredis' replies. */

#include <event2/buffer.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>

/* Move what came into the reader; false when that is not what Redis speaks. */
bool redis_feed(redisReader *reader, struct evbuffer *in);

/* Write one command. */
void redis_feed_command(struct evbuffer *out, int argc, const char **argv);

#endif
