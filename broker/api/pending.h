#ifndef BROKER_API_PENDING_H
#define BROKER_API_PENDING_H

/*
 * Requests that wait for something that cannot be taken back: what was begun for a client that
 * has gone ends by itself.
 */

#include "http/server.h"

#include <sys/queue.h>

struct pending;
LIST_HEAD(pendings, pending);

/* The first member of what waits. */
struct pending {
	LIST_ENTRY(pending) next;
	struct http_request *request; /* NULL: the client has gone */
	void (*close)(
		struct pending
			*p); /* frees what it owns, but not p itself; NULL: nothing */
};

/* Keep q, which may be NULL. Zeroed memory of size bytes, whose first member is a pending. */
void *pending_new(struct pendings *all, size_t size, struct http_request *q,
		  void (*close)(struct pending *p));

/* The request, to be answered; NULL: nobody waits for the answer. */
struct http_request *pending_take(struct pending *p);

/* After pending_take. */
void pending_free(struct pending *p);

/* All that still wait: they will not be called any more. */
void pendings_free(struct pendings *all);

#endif
