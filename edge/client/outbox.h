#ifndef EDGE_CLIENT_OUTBOX_H
#define EDGE_CLIENT_OUTBOX_H

/*
 * The bytes queued for one socket: references to blobs, which other sockets may share.
 * An outbox is NULL while nothing is queued.
 */

#include "base/blob.h"
#include "base/err.h"
#include "edge/client/transport.h"

struct outbox;

/* Append one whole frame or response; takes b. */
void outbox_push(struct outbox **o, struct blob *b);

/* Bytes queued; 0 for NULL. */
size_t outbox_bytes(const struct outbox *o);

/* The same, and the overhead of the blobs: 10,000 empty pongs are more than 20 KB. */
size_t outbox_held(const struct outbox *o);

/* The same for the sum of all outboxes: a blob counts completely until its last byte is written, in each outbox that has it. */
size_t outbox_memory(const struct outbox *o);

/*
 * Write as much as the socket takes.
 *
 * wrote    bytes written now are added
 * returns  OK: all is written, *o is NULL again; ERR_AGAIN: the socket is full; ERR_DOWN: it is broken
 */
must_use enum err outbox_write(struct outbox **o, const struct transport *t,
			       size_t *wrote);

/* Drop what is queued; *o is NULL afterwards. */
void outbox_close(struct outbox **o);

#endif
