#ifndef TABLES_KEY_H
#define TABLES_KEY_H

/*
 * Keys as bytes whose order is the order of their values, and which end themselves, so
 * that a partition key, a sort key and more can follow each other:
 *
 *   S, B  the bytes, 00 as 00 FF, then 00 01
 *   N     a sign (7F, 80, 81); exponent + 129; pairs of digits, each + 1; 00; all behind the sign
 *         complemented when it is negative. Zero is 80 alone
 */

#include "tables/value/value.h"

enum {
	KEY_PARTITION_MOST = 2048, /* bytes of a partition key's value */
	KEY_SORT_MOST = 1024,
	KEY_HASH = 4, /* bytes of the hash in front of a stored key */
	/* Room for one encoded value: each byte may be two. */
	KEY_VALUE_ROOM = 2 * KEY_PARTITION_MOST + 2,
};

/* Bytes that grow; in an arena. */
struct key {
	uint8_t *p;
	size_t n, room;
};

/* Append v, which is S, N or B. */
void key_append(struct arena *a, struct key *k, const struct value *v);

/* The same without what ends it, and for S and B alone: all keys that begin with v have it in front (begins_with). */
void key_append_prefix(struct arena *a, struct key *k, const struct value *v);

/*
 * Take a value off the front of encoded bytes.
 *
 * rest     moves behind it
 * returns  OK; ERR_MALFORMED: the bytes are not such a value
 */
must_use enum err key_take(struct arena *a, struct span *rest, enum value_type t,
			   struct value *out);

/* A hash of a partition key, the same in each process and for ever: it is where the key is stored. */
uint64_t key_hash(const struct value *partition);

#endif
