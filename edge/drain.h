#ifndef EDGE_DRAIN_H
#define EDGE_DRAIN_H

/*
 * The end of an edge, begun by SIGTERM or SIGINT:
 *
 *   DELAY         drain-delay: not ready, but it serves and accepts, since balancers
 *                 still send clients for some seconds
 *   CLOSING       no new connections; all connections are closed in random order, at
 *                 drain-rate or faster, to be done within drain-timeout; it ends
 *                 early when none is left, and the rest is cut at its end
 *   HANDING_OVER  2 s at most for brokers to acknowledge the last disconnects
 *
 * A second signal cuts all clients at once and gives brokers 1 s, a third ends the loop.
 * Brokers account for what is not acknowledged then, when the edge's lease expires.
 */

#include "edge/client/clients.h"
#include "edge/client/listener.h"

struct drain;

struct drain_conf {
	int64_t delay_ms;  /* --drain-delay */
	int64_t rate;      /* --drain-rate, a second */
	int64_t window_ms; /* --drain-timeout */
	int64_t answer_ms; /* --close-timeout: the last client has so much of the window for its close frame */
};

/* What a drain works with; all of it is borrowed until drain_free. */
struct drain_uses {
	struct loop *loop;
	struct clients *clients;
	struct listener *listener;
	struct uplink *uplink;
};

struct drain *drain_new(const struct drain_conf *conf, const struct drain_uses *uses);
void drain_free(struct drain *d); /* NULL is fine */

/* A signal has come: the first begins, the second hurries, the third ends. loop_on_signal calls it. */
void drain_signal(void *drain);

/* The longest that a drain can take, until the process has ended. */
int64_t drain_most_ms(const struct drain_conf *conf);

#endif
