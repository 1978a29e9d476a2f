#ifndef EDGE_CLIENT_LISTENER_H
#define EDGE_CLIENT_LISTENER_H

/* Where clients come in: a listening socket that several edges of a host may share. */

#include "edge/edge.h"

struct listener;

/* NULL after an error line when edge->conf.listen cannot be bound. */
struct listener *listener_new(struct edge *edge);

/* "127.0.0.1:8080", what was bound; lives as long as the listener. */
const char *listener_address(const struct listener *l);

/* Take whoever waits in the kernel's queue: who would be lost with it. */
void listener_empty(struct listener *l);

/* Takes no more connections. NULL is fine. */
void listener_free(struct listener *l);

#endif
