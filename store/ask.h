#ifndef STORE_ASK_H
#define STORE_ASK_H

/*
 * What the files of this room share; no other room includes it.
 *
 * A question in flight is a struct that begins with a struct ask. The store knows them
 * all, so that those still in flight when it is freed go with it.
 */

#include "store/redis.h"
#include "store/store.h"

struct ask {
	struct ask *next, **back;
	struct store *store;
};

struct store {
	struct redis *redis;
	char *prefix;
	struct ask *asks;
};

/* A zeroed struct of n bytes that begins with a struct ask, and that plain free(3) can free. */
void *ask_new(struct store *st, size_t n);
void ask_free(void *ask);

/* Free all of them. */
void ask_close(struct store *st);

#endif
