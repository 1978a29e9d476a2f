#ifndef BROKER_MEMBERSHIP_H
#define BROKER_MEMBERSHIP_H

/*
 * This broker among the others: it says once a second in the store that it lives,
 * hears who else does, and tells its edges. The same beat notices a store that may have
 * lost some of its memory.
 */

#include "broker/broker.h"

struct membership;

struct membership_row {
	char name[64];
	char endpoint[256];
	uint64_t boot;
};

struct membership *membership_new(struct broker *b);
void membership_free(struct membership *m); /* NULL is fine */

/* Begin to beat; peers_endpoint is known by then. */
void membership_start(struct membership *m);

/* Say goodbye in the store; no beats any more. */
void membership_leave(struct membership *m);

/* Who is there, as of the last beat; borrowed until the next. */
const struct membership_row *membership_rows(const struct membership *m, size_t *n);

/* Is this broker the one that minds the edge of this number? */
bool membership_is_home(const struct membership *m, uint16_t edge);

/* A beat at once: the store is there again. */
void membership_beat(struct membership *m);

/* The time between two beats, of each broker. */
int64_t membership_beat_ms(const struct membership *m);

/* The id of the store's memory; "" before the first beat. */
const char *membership_cluster(const struct membership *m);

#endif
