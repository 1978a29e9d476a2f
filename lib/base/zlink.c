#include "base/zlink.h"

#include "base/mem.h"
#include "base/zmonitor.h"

#include <stdlib.h>
#include <zmq.h>

enum state { CONNECTING, UP, DOWN };

struct zlink {
	enum state state;
	zlink_fn *fn;
	void *arg;
	struct zmonitor *monitor;
	struct timer *deadline;
};

static void take_event(void *arg, unsigned event);
static void on_deadline(void *arg);

struct zlink *zlink_new(struct loop *l, void *zctx, void *zmq, zlink_fn *fn, void *arg)
{
	struct zlink *k = xcalloc(1, sizeof *k);

	k->fn = fn;
	k->arg = arg;
	k->monitor = zmonitor_new(l, zctx, zmq, ZMQ_EVENT_ALL, take_event, k);
	k->deadline = timer_new(l, on_deadline, k);
	return k;
}

void zlink_free(struct zlink *k)
{
	if (!k)
		return;
	zmonitor_free(k->monitor);
	timer_free(k->deadline);
	free(k);
}

void zlink_connecting(struct zlink *k, int64_t ms)
{
	timer_after(k->deadline, ms);
}

bool zlink_is_up(const struct zlink *k)
{
	return k->state == UP;
}

static void enter(struct zlink *k, enum state next)
{
	if (k->state >= next)
		return;
	k->state = next;
	timer_stop(k->deadline);
	k->fn(k->arg, next == UP);
}

static void take_event(void *arg, unsigned event)
{
	struct zlink *k = arg;

	switch (event) {
	case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: enter(k, UP); break;
	case ZMQ_EVENT_CLOSED: /* the connect came to nothing */
	case ZMQ_EVENT_DISCONNECTED:
	case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: enter(k, DOWN); break;
	default: break;
	}
}

/* A name that does not resolve, for one, makes no event at all. */
static void on_deadline(void *arg)
{
	enter(arg, DOWN);
}
