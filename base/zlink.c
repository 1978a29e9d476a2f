#include "base/zlink.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <zmq.h>

enum { TURN = 64 }; /* events taken in one turn of the loop */

enum state { CONNECTING, UP, DOWN };

struct zlink {
	enum state state;
	zlink_fn *fn;
	void *arg;
	void *zmq;
	void *monitor;
	struct event *readable;
	struct timer *again, *deadline;
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void take_turn(void *arg);
static void on_deadline(void *arg);

/* The other end of zmq's monitor. */
static void *open_monitor(void *zctx, void *zmq)
{
	char name[48];
	uint64_t unique = 0; /* the name of a closed monitor stays taken for a moment */
	ssize_t n = getrandom(&unique, sizeof unique, 0);

	assert(n == sizeof unique);
	snprintf(name, sizeof name, "inproc://zlink-%016" PRIx64, unique);

	void *monitor = zmq_socket(zctx, ZMQ_PAIR);

	if (!monitor || zmq_socket_monitor(zmq, name, ZMQ_EVENT_ALL) == -1 ||
	    zmq_connect(monitor, name) == -1) {
		log_error("zlink.failed", S("why", zmq_strerror(errno)),
			  S("next", "raise the limit of open files; the process ends"));
		abort();
	}
	return monitor;
}

struct zlink *zlink_new(struct loop *l, void *zctx, void *zmq, zlink_fn *fn, void *arg)
{
	struct zlink *k = xcalloc(1, sizeof *k);
	int fd = -1;
	size_t n = sizeof fd;

	k->fn = fn;
	k->arg = arg;
	k->zmq = zmq;
	k->monitor = open_monitor(zctx, zmq);
	k->again = timer_new(l, take_turn, k);
	k->deadline = timer_new(l, on_deadline, k);
	zmq_getsockopt(k->monitor, ZMQ_FD, &fd, &n);
	k->readable = event_new(loop_base(l), fd, EV_READ | EV_PERSIST, on_readable, k);
	assert(k->readable);
	event_add(k->readable, NULL);
	timer_after(k->again, 0);
	return k;
}

void zlink_free(struct zlink *k)
{
	if (!k)
		return;
	event_free(k->readable);
	timer_free(k->again);
	timer_free(k->deadline);
	zmq_socket_monitor(k->zmq, NULL, 0);
	zmq_close(k->monitor);
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

static void take_event(struct zlink *k, unsigned event)
{
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

static int receive(struct zlink *k, void *to, size_t n)
{
	int rc;

	do
		rc = zmq_recv(k->monitor, to, n, ZMQ_DONTWAIT);
	while (rc == -1 && errno == EINTR); /* a signal came in between */
	return rc;
}

/* Event (16 bits) and value (32 bits) in the first part, the endpoint in the second. */
static bool take_one(struct zlink *k)
{
	uint8_t event[6], endpoint[8];
	uint16_t which;

	if (receive(k, event, sizeof event) != sizeof event)
		return false;
	if (receive(k, endpoint, sizeof endpoint) == -1)
		return false;
	memcpy(&which, event, sizeof which);
	take_event(k, which);
	return true;
}

static void take_turn(void *arg)
{
	struct zlink *k = arg;

	for (int i = 0; i < TURN; i++)
		if (!take_one(k))
			return;
	timer_after(k->again, 0);
}

/* Libevent's words into ours. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	take_turn(arg);
}

/* A name that does not resolve, for one, makes no event at all. */
static void on_deadline(void *arg)
{
	enter(arg, DOWN);
}
