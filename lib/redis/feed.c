#include "redis/feed.h"

#include <assert.h>

bool redis_feed(redisReader *reader, struct evbuffer *in)
{
	struct evbuffer_iovec piece;

	while (evbuffer_get_length(in) > 0) {
		evbuffer_peek(in, -1, NULL, &piece, 1);
		if (redisReaderFeed(reader, piece.iov_base, piece.iov_len) != REDIS_OK)
			return false;
		evbuffer_drain(in, piece.iov_len);
	}
	return true;
}

void redis_feed_command(struct evbuffer *out, int argc, const char **argv)
{
	char *wire = NULL;
	int n = redisFormatCommandArgv(&wire, argc, argv, NULL);

	assert(n > 0);
	evbuffer_add(out, wire, (size_t)n);
	redisFreeCommand(wire);
}
