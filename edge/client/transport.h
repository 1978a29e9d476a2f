#ifndef EDGE_CLIENT_TRANSPORT_H
#define EDGE_CLIENT_TRANSPORT_H

/*
 * The bytes of a client's socket. No other file calls recv, sendmsg, shutdown or close on it, so
 * that protocols below HTTP and WebSocket have one place:
 *
 *   TLS             struct transport gets a pointer to the session (NULL: plain), and each
 *                   function below a branch that asks for it. Bytes that are decrypted and do
 *                   not fit into `room` are read on at once by the caller, since epoll does not
 *                   report them: transport_read says so with a flag beside `n`
 *   PROXY protocol  transport_read removes the header before the first byte that it returns
 *   compression     does not belong here: it is between ws/frame.h and ws/message.h
 */

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct transport {
	int fd; /* does not block */
};

/*
 * Read what has arrived, at most room_n bytes.
 *
 * n        bytes read, on OK
 * returns  OK; ERR_AGAIN: nothing has arrived; ERR_DOWN: the client has closed its end, or the socket is broken
 */
must_use enum err transport_read(const struct transport *t, uint8_t *room, size_t room_n,
				 size_t *n);

/*
 * Write from the n pieces at iov, as much as the socket takes.
 *
 * written  bytes, on OK: 1 or more
 * returns  OK; ERR_AGAIN: it takes nothing now; ERR_DOWN: it is broken
 */
must_use enum err transport_write(const struct transport *t, struct iovec *iov, size_t n,
				  size_t *written);

/* Nothing more is written: the client reads the end after what was written. */
void transport_shutdown(const struct transport *t);

void transport_close(const struct transport *t);

#endif
