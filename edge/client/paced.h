#ifndef EDGE_CLIENT_PACED_H
#define EDGE_CLIENT_PACED_H

/* Connections that are closed one after the other, in random order, at a rate. */

#include "edge/client/end.h"

#include <stddef.h>

struct clients;
struct connection;

struct paced {
	uint32_t *slots; /* in the order of closing */
	uint32_t n, next;
	int64_t due; /* thousandths of a connection that are to be closed now */
	int64_t looked_ms;
};

/* As a rate: all that are left, now. */
enum { PACED_ALL = -1 };

/* Begin with all connections that are there at now (loop_now), or with those that are WebSockets. */
void paced_begin(struct paced *p, struct clients *clients, int64_t now, bool only_open);

/*
 * Close as many as are due since the last call.
 *
 * rate     a second, or PACED_ALL
 * most     how many at most
 * returns  how many were closed; one whose slot another connection has now closes that
 */
uint32_t paced_close(struct paced *p, struct clients *clients, int64_t now, int64_t rate,
		     uint32_t most);

/* How many are still to come, those that have gone meanwhile included. */
uint32_t paced_left(const struct paced *p);

/* To be begun again. */
void paced_end(struct paced *p);

#endif
