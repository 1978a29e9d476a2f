#ifndef STORE_STORE_H
#define STORE_STORE_H

/*
 * The brokers' memory: questions in the words of the domain, answers from Redis.
 * What can be asked is in connections.h, leases.h and members.h.
 *
 * For every question: fn is called once and never from inside the call that asked.
 * What it gets is borrowed until it returns. Besides what each question names,
 * every fn may get
 *   ERR_DOWN       no answer (yet): a write may have been done or not; ask again later
 *   ERR_BUSY       too much in flight, or Redis cannot now (its memory is full, it loads its
 *                  data, it has become a replica, …): nothing was done; ask again later
 *   ERR_MALFORMED  what is in Redis is not ours to read (the log names the key)
 */

#include "base/conf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/metric.h"

struct store;

struct store_conf {
	const char *redis;
	const char *ca, *cert, *key; /* files, for rediss; NULL: not set */
	const char *prefix;
	int64_t timeout_ms;
	int64_t max_in_flight;
};

/* The rows of a settings table whose struct st has these settings in its field f. */
#define STORE_CONF_KEYS(st, f)                                                           \
	CONF_TEXT(st, f.redis, "redis", "redis://127.0.0.1:6379",                        \
		  "where Redis is: unix:/path, host:port, "                              \
		  "redis://[user:password@]host[:port][/db], or "                        \
		  "redis+sentinel://[user:password@]host[:port],…/MASTER[/db]; "       \
		  "rediss for TLS"),                                                     \
		CONF_TEXT(st, f.ca, "redis-ca", NULL,                                    \
			  "with rediss: file of the authorities that may have signed "   \
			  "the certificate of Redis; not set: those of the system"),     \
		CONF_TEXT(st, f.cert, "redis-cert", NULL,                                \
			  "with rediss: PEM file of the client certificate, if Redis "   \
			  "requires one"),                                               \
		CONF_TEXT(st, f.key, "redis-key", NULL,                                  \
			  "with rediss: PEM file of the private key of --redis-cert"),   \
		CONF_TEXT(st, f.prefix, "redis-prefix",                                  \
			  "gatepost:", "prefix of all keys in Redis"),                   \
		CONF_MSEC(st, f.timeout_ms, "redis-timeout", "2s", 10, 60000,            \
			  "a request fails when Redis takes longer"),                    \
		CONF_INT(st, f.max_in_flight, "redis-max-in-flight", "20000", 1,         \
			 1000000, "requests to Redis that may wait for their replies")

/* For a conf_check_fn: are the settings valid together? c->redis NULL: there is nothing to check. */
bool store_conf_is_right(const struct store_conf *c, struct conf_wrong *w);

/*
 * m        may be NULL; not to be printed after store_free
 * returns  NULL after an error line when the URL or the prefix is wrong; whether Redis
 *          is there is known later
 */
struct store *store_new(struct loop *l, const struct store_conf *conf, struct metrics *m);

/* No fn is called any more. Not from inside a fn: loop_defer it. NULL is fine. */
void store_free(struct store *st);

/* Would a question be sent now? For readiness. */
bool store_is_up(const struct store *st);

/* When the last connection that was up ended, on loop_now's clock; 0: none has. */
int64_t store_lost_ms(const struct store *st);

/*
 * Call fn(arg) each time Redis can be reached (again), until store_free. Several may listen;
 * they are called in the order in which they began to.
 */
void store_on_up(struct store *st, loop_fn *fn, void *arg);

/* How it went, for questions without an answer. */
typedef void store_done_fn(void *arg, enum err e);

#endif
