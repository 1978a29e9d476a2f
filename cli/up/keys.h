#ifndef CLI_UP_KEYS_H
#define CLI_UP_KEYS_H

/*
 * A key pair for the workers of each function, made at random, for as long as this
 * `gatepost up` runs; and the file in which brokers find them (--function-keys).
 */

#include "config/config.h"

struct key_pair {
	char id[21];     /* "GP" and 18 of A-Z 2-7 */
	char secret[41]; /* 40 hex digits */
};

struct keys;

/* folder: ours alone, where the file is made. */
struct keys *keys_new(const char *folder);
void keys_free(struct keys *k); /* NULL is fine; the file stays */

/* The path of the file; lives as long as k. */
const char *keys_file(const struct keys *k);

/*
 * Make keys for the functions with workers that have none yet, and write the file.
 *
 * returns  false after an error line: it cannot be written
 */
bool keys_write(struct keys *k, const struct config *c);

/* That of a function; NULL: it has none. Lives as long as k. */
const struct key_pair *keys_find(const struct keys *k, const char *function);

#endif
