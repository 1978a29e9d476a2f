#ifndef STORE_ASK_H
#define STORE_ASK_H

/*
 * Shared by the files of this module; no other module includes it.
 *
 * A question in flight is a struct that begins with a struct ask. The store knows them
 * all, so that those still in flight when it is freed go with it.
 */

#include "store/connections.h"
#include "redis/redis.h"
#include "store/store.h"

struct ask {
	struct ask *next, **back;
	struct store *store;
};

struct store_listener {
	loop_fn *fn;
	void *arg;
};

struct store {
	struct redis *redis;
	char *prefix;
	struct ask *asks;
	struct appends *appends;
	struct store_listener *listeners; /* in the order in which they came */
	size_t n_listeners;
};

/* A zeroed struct of n bytes that begins with a struct ask, and that plain free(3) can free. */
void *ask_new(struct store *st, size_t n);
void ask_free(void *ask);

/* Free all of them. */
void ask_close(struct store *st);

/* A question whose answer is a code alone, and what may come back from Redis for it. */
struct ask_done {
	struct ask ask;
	store_done_fn *fn;
	void *arg;
};
struct ask_done *ask_done_new(struct store *st, store_done_fn *fn, void *arg);

/* The word of a script: ok; gone: ERR_NOTFOUND; full: ERR_TOOBIG; unknown: ERR_UNKNOWN; held, rows: ERR_DENIED. */
must_use enum err ask_word(const struct redisReply *reply);

/* Each gives the answer and frees the question: from a script's word, from the number of
 * those removed (none: ERR_NOTFOUND), and from whatever was said. */
void ask_on_word(void *arg, enum err e, const struct redisReply *reply);
void ask_on_removed(void *arg, enum err e, const struct redisReply *reply);
void ask_on_said(void *arg, enum err e, const struct redisReply *reply);

/* A question whose answer is a number. */
struct ask_count {
	struct ask ask;
	store_count_fn *fn;
	void *arg;
};
struct ask_count *ask_count_new(struct store *st, store_count_fn *fn, void *arg);
void ask_on_count(void *arg, enum err e, const struct redisReply *reply);

#endif
