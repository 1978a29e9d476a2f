#ifndef EDGE_CLIENT_OUTBOX_H
#define EDGE_CLIENT_OUTBOX_H

/*
 * What waits to be written to one socket: references to blobs, shared with the other
 * sockets that get the same. There is none while nothing waits: an outbox is NULL.
 */

#include "base/blob.h"
#include "base/err.h"
#include "edge/client/transport.h"

struct outbox;

/* Append one whole frame or response; takes b. */
void outbox_push(struct outbox **o, struct blob *b);

/* Bytes that wait; 0 for NULL. */
size_t outbox_bytes(const struct outbox *o);

/* The same, and what so many blobs take of memory beside their bytes: 10,000 empty pongs are not 20 KB. */
size_t outbox_held(const struct outbox *o);

/* The same as it counts in the sum of all: a blob counts whole until its last byte is written, and for each outbox that has it. */
size_t outbox_memory(const struct outbox *o);

/*
 * Write as much as the socket takes.
 *
 * wrote    bytes written now are added
 * returns  OK: all is written, *o is NULL again; ERR_AGAIN: the socket is full; ERR_DOWN: it is broken
 */
must_use enum err outbox_write(struct outbox **o, const struct transport *t,
			       size_t *wrote);

/* Forget what waits; *o is NULL afterwards. */
void outbox_close(struct outbox **o);

#endif
