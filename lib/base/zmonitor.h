#ifndef BASE_ZMONITOR_H
#define BASE_ZMONITOR_H

/*
 * Events of the connections under a ZeroMQ socket, reported on the loop.
 *
 * source  zmq_socket_monitor(3)
 */

#include "base/loop.h"

struct zmonitor;

/* event  one ZMQ_EVENT_* */
typedef void zmonitor_fn(void *arg, unsigned event);

/*
 * Watch zmq, a socket of zctx that has neither been bound nor connected.
 *
 * events  those to be told, ZMQ_EVENT_* joined by |; ZeroMQ's I/O thread waits when too
 *         many of them have not been taken, so leave out what comes in floods
 */
struct zmonitor *zmonitor_new(struct loop *l, void *zctx, void *zmq, int events,
			      zmonitor_fn *fn, void *arg);

/* Before zmq is closed. Never from inside fn. NULL is fine. */
void zmonitor_free(struct zmonitor *m);

#endif
