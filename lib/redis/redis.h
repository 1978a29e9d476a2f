#ifndef REDIS_REDIS_H
#define REDIS_REDIS_H

/*
 * One connection to Redis, which is made again for as long as it takes.
 *
 *   DOWN --backoff over--> CONNECTING --socket--> GREETING --AUTH, SELECT, ROLE, PING--> UP
 *    | \________________________ error, silence, it is no master __________________________/
 *    \--with sentinels--> FINDING --master--> CONNECTING
 *
 * Requests are pipelined. Each has its own deadline: hiredis 0.14 has none, so
 * only its reader and its formatter are used, over a bufferevent of our own.
 */

#include "base/err.h"
#include "base/loop.h"
#include "base/metric.h"
#include "base/span.h"
#include "redis/tls.h"

#include <stdbool.h>
#include <stddef.h>

struct redis;
struct redisReply; /* <hiredis/hiredis.h> */

struct redis_conf {
	const char *url;      /* see redis/url.h; read during redis_new only */
	struct redis_tls tls; /* its texts live as long as the redis does */
	int64_t timeout_ms;   /* a request fails when its reply takes longer */
	int64_t stall_ms; /* the connection is made anew when the oldest reply takes longer */
	int64_t max_in_flight;
	/* For log lines, and a label of metrics; lives as long as the redis does. NULL: neither. */
	const char *name;
};

/*
 * Begin to connect; whether Redis is there is known later.
 *
 * m        may be NULL; it asks r for gauges, so it is not printed after redis_free
 * returns  NULL after an error line that says what is wrong with the URL, or with
 *          the files of TLS
 */
struct redis *redis_new(struct loop *l, const struct redis_conf *conf, struct metrics *m);

/* No fn is called any more. Not from inside a fn: loop_defer it. NULL is fine. */
void redis_free(struct redis *r);

bool redis_is_up(const struct redis *r);

/* When the last connection that was up ended, on loop_now's clock; 0: none has. */
int64_t redis_lost_ms(const struct redis *r);

/* How many requests wait for their replies. */
size_t redis_in_flight(const struct redis *r);

/* Call fn(arg) each time the connection has come up. One fn; the last one set counts. */
void redis_on_up(struct redis *r, loop_fn *fn, void *arg);

/*
 * e    OK, and then reply is set, borrowed until the call returns, and never of the error type;
 *      ERR_DOWN    not connected, or no reply in time: a write may have been done or not
 *      ERR_BUSY    too many in flight, or Redis said that it cannot now (OOM, LOADING,
 *                  READONLY, NOAUTH, …: redis/error.h): nothing was done
 *      ERR_DENIED  the keys of a script have different hash tags, and the server is a node of a
 *                  cluster: nothing was done
 *      ERR_MALFORMED  Redis refused the command, or the key holds another type (it is in the log)
 */
typedef void redis_reply_fn(void *arg, enum err e, const struct redisReply *reply);

/*
 * Send one command. fn is called once, never from inside this call; on an error too.
 *
 * argv, lens  borrowed until the call returns; lens NULL: zero-terminated words
 */
void redis_call(struct redis *r, redis_reply_fn *fn, void *arg, int argc,
		const char **argv, const size_t *lens);

/* A Lua script that the build took from store/NAME.lua (store/scripts.h). */
struct redis_script {
	const char *text;
	size_t n;
	const char *sha1; /* 40 hex digits */
};

/* What a script gets: its keys, then its arguments. Any number, but Lua's unpack takes about 8000. */
struct redis_args {
	int keys; /* how many of them are keys; in a Redis Cluster all share one hash tag */
	int n;
	const char **words;
	const size_t *lens; /* NULL: zero-terminated words */
};

/*
 * Run a script: by its hash, and by its text when Redis does not know it yet (that
 * second round trip has a deadline of its own).
 *
 * args  borrowed until the call returns
 */
void redis_eval(struct redis *r, const struct redis_script *s, redis_reply_fn *fn,
		void *arg, const struct redis_args *args);

/*
 * What went wrong, as redis_reply_fn has it, when a script has caught an error and gives
 * it as a part of its reply. It is logged and counted; that of a replica ends the link.
 *
 * error  from inside the reply that fn has got and has not returned from
 * key    the one that it is about, for the log
 */
must_use enum err redis_error_within(struct redis *r, const struct redisReply *error,
				     struct span key);

#endif
