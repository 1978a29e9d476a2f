#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

/*
 * What waits for Redis, in the order of sending, which is the order of the replies.
 *
 * A request whose deadline has passed is answered, and then stays in its place without
 * its fn, so that the late reply finds it and not its neighbour.
 */

#include "store/redis.h"

#include <stdint.h>

struct request {
	struct request *next;
	redis_reply_fn *fn; /* NULL once answered */
	void *arg;
	int64_t due_ms;
	int64_t begun_us;
	enum err refused; /* why it was never sent */

	const struct redis_script *script; /* until Redis is known to have it */
	char *wire;                        /* the EVALSHA command, kept with script */
	size_t wire_n;

	char command[12]; /* for the log, cut off when longer */
	char key[80];
};

/* Takes neither argv nor what it points to. */
struct request *request_new(redis_reply_fn *fn, void *arg, int argc, const char **argv,
			    const size_t *lens);
void request_free(struct request *q); /* NULL is fine */

struct requests {
	struct request *head, *tail;
	struct request *due; /* the first whose deadline has not passed */
	size_t n;
};

/* Takes q. Deadlines rise from head to tail. */
void requests_push(struct requests *all, struct request *q);

/* The first of all, now the caller's; NULL when there is none. */
struct request *requests_pop(struct requests *all);

/* The next one whose deadline has passed and was not yet seen to; it stays in its place. NULL: none. */
struct request *requests_expire(struct requests *all, int64_t now_ms);

/* Free all of them without a call. */
void requests_close(struct requests *all);

#endif
