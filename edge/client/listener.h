#ifndef EDGE_CLIENT_LISTENER_H
#define EDGE_CLIENT_LISTENER_H

/* A listening socket for clients, which several edges of a host may share. */

#include "base/loop.h"
#include "base/metric.h"

#include <sys/socket.h>

struct listener;

/* A socket that does not block, taken; peer is borrowed. */
typedef void listener_fn(void *arg, int fd, const struct sockaddr *peer);

/*
 * address  "0.0.0.0:8080"; borrowed until listener_new returns
 * metrics  borrowed until listener_free; may be NULL
 * fn       called for each socket that is accepted
 * returns  NULL after an error line when the address cannot be bound
 */
struct listener *listener_new(struct loop *loop, struct metrics *metrics,
			      const char *address, listener_fn *fn, void *arg);

/* "127.0.0.1:8080", what was bound; lives as long as the listener. */
const char *listener_address(const struct listener *l);

/* Accept the sockets in the kernel's queue, which would be lost otherwise, and then no more. */
void listener_close(struct listener *l);

void listener_free(struct listener *l); /* NULL is fine */

#endif
