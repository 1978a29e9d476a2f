#ifndef BASE_ZLINK_H
#define BASE_ZLINK_H

/*
 * The transport under a connecting ZeroMQ socket, as reported by the socket's monitor.
 *
 *   CONNECTING --handshake--> UP --> DOWN
 *        \__ refused, silent ________/
 *
 * source  zmq_socket_monitor(3)
 */

#include "base/loop.h"

#include <stdbool.h>

struct zlink;

/* Entered UP (true) or DOWN (false); each at most once. */
typedef void zlink_fn(void *arg, bool up);

/* Watch zmq, a socket of zctx that does not connect before zlink_connecting. */
struct zlink *zlink_new(struct loop *l, void *zctx, void *zmq, zlink_fn *fn, void *arg);

/* Before zmq is closed. Never from inside fn. NULL is fine. */
void zlink_free(struct zlink *k);

/* The socket connects now: without a handshake within ms the link is DOWN. */
void zlink_connecting(struct zlink *k, int64_t ms);

bool zlink_is_up(const struct zlink *k);

#endif
