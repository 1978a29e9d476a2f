#include "base/zmonitor.h"

#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zmq.h>

enum { TURN = 64 }; /* events taken in one turn of the loop */

struct zmonitor {
	zmonitor_fn *fn;
	void *arg;
	void *zmq; /* the socket that is watched */
	void *end; /* our end of the pair socket for events */
	struct event *readable;
	struct timer *again;
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void receive_turn(void *arg);

/* The other end of zmq's monitor. */
static void *open_monitor(void *zctx, void *zmq, int events)
{
	char name[48];
	uint64_t unique = 0; /* the name of a closed monitor stays taken for a moment */
	ssize_t n = getrandom(&unique, sizeof unique, 0);

	assert(n == sizeof unique);
	snprintf(name, sizeof name, "inproc://zmonitor-%016" PRIx64, unique);

	void *end = zmq_socket(zctx, ZMQ_PAIR);

	if (!end || zmq_socket_monitor(zmq, name, events) == -1 ||
	    zmq_connect(end, name) == -1) {
		log_error("zmonitor.failed", S("why", zmq_strerror(errno)),
			  S("hint", "raise the limit of open files; the process ends"));
		abort();
	}
	return end;
}

struct zmonitor *zmonitor_new(struct loop *l, void *zctx, void *zmq, int events,
			      zmonitor_fn *fn, void *arg)
{
	struct zmonitor *m = xcalloc(1, sizeof *m);
	int fd = -1;
	size_t n = sizeof fd;

	m->fn = fn;
	m->arg = arg;
	m->zmq = zmq;
	m->end = open_monitor(zctx, zmq, events);
	m->again = timer_new(l, receive_turn, m);
	zmq_getsockopt(m->end, ZMQ_FD, &fd, &n);
	m->readable = event_new(loop_base(l), fd, EV_READ | EV_PERSIST, on_readable, m);
	assert(m->readable);
	event_add(m->readable, NULL);
	timer_after(m->again, 0);
	return m;
}

void zmonitor_free(struct zmonitor *m)
{
	if (!m)
		return;
	event_free(m->readable);
	timer_free(m->again);
	zmq_socket_monitor(m->zmq, NULL, 0);
	zmq_close(m->end);
	free(m);
}

static int receive(struct zmonitor *m, void *to, size_t n)
{
	int rc;

	do
		rc = zmq_recv(m->end, to, n, ZMQ_DONTWAIT);
	while (rc == -1 && errno == EINTR); /* a signal came in between */
	return rc;
}

/* Event (16 bits) and value (32 bits) in the first part, the endpoint in the second. */
static bool receive_one(struct zmonitor *m)
{
	uint8_t event[6], endpoint[8];
	uint16_t which;

	if (receive(m, event, sizeof event) != sizeof event)
		return false;
	if (receive(m, endpoint, sizeof endpoint) == -1)
		return false;
	memcpy(&which, event, sizeof which);
	m->fn(m->arg, which);
	return true;
}

static void receive_turn(void *arg)
{
	struct zmonitor *m = arg;

	for (int i = 0; i < TURN; i++)
		if (!receive_one(m))
			return;
	timer_after(m->again, 0);
}

/* Libevent's words into ours. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	receive_turn(arg);
}
