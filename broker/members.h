#ifndef BROKER_MEMBERS_H
#define BROKER_MEMBERS_H

/*
 * This broker among the others: it says once a second in the store that it lives,
 * hears who else does, and tells its edges. The same beat notices a store that may have
 * lost some of its memory.
 */

#include "broker/broker.h"

struct members;

struct members_row {
	char name[64];
	char endpoint[256];
	uint64_t boot;
};

struct members *members_new(struct broker *b);
void members_free(struct members *m); /* NULL is fine */

/* Begin to beat; edges_endpoint is known by then. */
void members_start(struct members *m);

/* Say goodbye in the store; no beats any more. */
void members_leave(struct members *m);

/* Who is there, as of the last beat; borrowed until the next. */
const struct members_row *members_rows(const struct members *m, size_t *n);

/* Is this broker the one that minds the edge of this number? */
bool members_is_home(const struct members *m, uint16_t edge);

/* A beat at once: the store is there again. */
void members_beat(struct members *m);

/* The time between two beats, of each broker. */
int64_t members_beat_ms(const struct members *m);

/* The id of the store's memory; "" before the first beat. */
const char *members_cluster(const struct members *m);

#endif
