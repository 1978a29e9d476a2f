#ifndef REDIS_REQUEST_H
#define REDIS_REQUEST_H

/*
 * What waits for Redis, in the order of sending, which is the order of the replies.
 *
 * A request whose deadline has passed is answered, and then stays in its place without
 * its fn, so that the late reply finds it and not its neighbour.
 */

#include "redis/redis.h"

#include <stdbool.h>
#include <stdint.h>

struct evbuffer; /* <event2/buffer.h> */

struct request {
	struct request *next;
	redis_reply_fn *fn; /* NULL once answered */
	void *arg;
	int64_t due_ms;
	int64_t begun_us;
	bool takes_errors; /* an error reply is an answer to it like any other */
	enum err refused;  /* why it was never sent */

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

/*
 * A command as Redis reads it: *N, then $LENGTH and the bytes of each word.
 *
 * argv, lens  as of redis_call
 * n           gets how many bytes it has
 * returns     them, to be freed
 */
char *request_format(int argc, const char **argv, const size_t *lens, size_t *n);

/*
 * Write the command of q again, with the text of its script in place of the hash:
 * *N $7 EVALSHA $40 <sha> and the rest becomes *N $4 EVAL $n <text> and the same rest.
 */
void request_write_text(struct request *q, struct evbuffer *out);

/*
 * The keys that the command of q named, for the log: a script's all of them.
 *
 * out      gets them with a blank between two, cut off at n bytes
 * returns  out
 */
const char *request_keys(const struct request *q, char *out, size_t n);

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
