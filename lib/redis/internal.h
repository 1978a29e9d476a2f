#ifndef REDIS_INTERNAL_H
#define REDIS_INTERNAL_H

/*
 * What redis.c (requests, and their replies) and link.c (the link that they go
 * through, and its states) share; no other file includes it.
 */

#include "redis/redis.h"
#include "redis/dial.h"
#include "redis/meter.h"
#include "redis/replies.h"
#include "redis/sentinel.h"
#include "redis/url.h"
#include "redis/request.h"

#include <hiredis/hiredis.h>

enum redis_state { DOWN, FINDING, CONNECTING, GREETING, UP, STATES };

struct redis {
	struct loop *loop;
	struct redis_url url;
	struct redis_conf conf;
	struct redis_meter meter;

	/* the link */
	enum redis_state state;
	redisReader *reader; /* NULL: no link now */
	struct arena *replies;
	struct redis_dial dial;
	struct redis_sentinel *sentinel; /* NULL: the URL has the address of Redis */
	struct timer
		*life; /* DOWN: connect again; CONNECTING, GREETING: it took too long */
	int64_t backoff_ms;
	int64_t lost_ms; /* when the last connection that was up ended; 0: none has */
	loop_fn *on_up;
	void *on_up_arg;

	/* requests */
	struct requests sent;
	struct requests refused; /* answered on the next turn */
	struct timer *deadlines;
	struct timer *next_turn;
	int64_t watch_at; /* when deadlines comes; 0: it does not run */
	int calling;      /* how many fn are on the stack */
	bool was_demoted; /* as a part of the reply says that fn has now */
};

/* ---- link.c ---- */

/* Begin to connect, and go on for as long as it takes; r->url and r->conf are there. */
void redis_link_open(struct redis *r);

/* No request is answered by that. */
void redis_link_close(struct redis *r);

/*
 * The link is of no use: end it, answer all that wait for a reply with ERR_DOWN, and make it
 * anew in a while. When it is down already, nothing changes.
 *
 * why, todo  for the log; todo NULL: see that Redis is there
 */
void redis_link_lose(struct redis *r, const char *why, const char *hint);

/* ---- redis.c ---- */

/* Write a command through the link, which need not be up. Takes q. */
void redis_send(struct redis *r, struct request *q, int argc, const char **argv,
		const size_t *lens);

/* Take the replies that have come; libevent's, for the link. */
void redis_on_readable(struct bufferevent *bev, void *arg);

/* The link has ended: none of those that were sent gets a reply any more. */
void redis_fail_sent(struct redis *r);

#endif
