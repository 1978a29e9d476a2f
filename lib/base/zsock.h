#ifndef BASE_ZSOCK_H
#define BASE_ZSOCK_H

/*
 * A ZeroMQ socket on the loop: the one place that knows ZMQ_FD's edges. Messages
 * are of one part; a ROUTER's have the peer's routing id beside them.
 *
 * source  zmq_getsockopt(3) ZMQ_FD, ZMQ_EVENTS; zmq_socket_monitor(3)
 */

#include "base/err.h"
#include "base/loop.h"
#include "base/span.h"

#include <stdbool.h>
#include <zmq.h>

struct zsock;

/*
 * One message has come.
 *
 * from  the peer's routing id on a ROUTER, else empty; borrowed
 * body  borrowed until the function returns; to keep the bytes, zmq_msg_move them out
 */
typedef void zsock_fn(void *arg, struct span from, zmq_msg_t *body);

/*
 * The transport under a connecting socket changed: up is true after the handshake; false
 * once, after the last message that came through it, when the peer's end is gone, refused,
 * or did not answer within 11 s. After that the socket is of no more use.
 */
typedef void zsock_link_fn(void *arg, bool up);

/*
 * zctx   a ZeroMQ context that outlives the socket
 * type   ZMQ_ROUTER, ZMQ_DEALER, ZMQ_PAIR …; LINGER is 0 (see zsock_linger), a ROUTER is mandatory (see zsock_send)
 * fn     called for each message, at most 256 in a turn of the loop, so that other sockets are served
 */
struct zsock *zsock_new(struct loop *l, void *zctx, int type, zsock_fn *fn, void *arg);

/*
 * From now on the last words count: after zsock_free, what was sent still goes out in the
 * background, for ms at most, and zmq_ctx_term waits for that.
 */
void zsock_linger(struct zsock *z, int ms);

/*
 * Before bind or connect: another silence than ZSOCK_SILENCE_MS, at most an hour. A peer
 * whose host is silent for so long is disconnected; ZeroMQ's I/O threads ping each other
 * three times in it, whatever their processes do.
 */
enum { ZSOCK_SILENCE_MS = 15000 };
void zsock_silence(struct zsock *z, int ms);

/* NULL is fine. Never from inside fn or link_fn: loop_defer it. */
void zsock_free(struct zsock *z);

/*
 * returns  OK; ERR_MALFORMED when the endpoint cannot be parsed; ERR_BUSY when it is taken
 *          or not ours (errno says which; an ipc path is taken over from its holder)
 */
must_use enum err zsock_bind(struct zsock *z, const char *endpoint);

/* Connections that were accepted and have not ended, whatever they have said. */
int64_t zsock_peers(const struct zsock *z);

/*
 * Connects in the background and does not reconnect: a socket is one life of a link. Give
 * a numeric address: libzmq resolves names on its I/O thread, and all wait. ERR_MALFORMED
 * as above.
 */
must_use enum err zsock_connect(struct zsock *z, const char *endpoint);

/* What the last bind gave, with the port in place of 0 or *; borrowed until the next bind. */
const char *zsock_endpoint(struct zsock *z);

/* Call fn(arg, up), with zsock_new's arg, when the transport connects and when it ends. Before connect, once. */
void zsock_watch(struct zsock *z, zsock_link_fn *fn);

/*
 * Send one message; never waits. Takes body, whatever it returns.
 *
 * to       the routing id on a ROUTER, else empty
 * returns  OK; ERR_BUSY when the queue is full; ERR_DOWN when there is no such peer, or when
 *          a watched socket is not up (yet, or any more): nothing waits for a transport
 */
enum err zsock_send(struct zsock *z, struct span to, zmq_msg_t *body);

#endif
