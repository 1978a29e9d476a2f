#include "base/zsock.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/zlink.h"
#include "base/zmonitor.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

enum {
	TURN = 256,     /* messages taken in one turn of the loop */
	QUEUE = 100000, /* messages; the link's own credit bounds what is in flight */
	CONNECT_MS = 5000,
	HANDSHAKE_MS = 5000,
	SILENCE_MOST_MS = 60 * 60 * 1000, /* ZeroMQ takes at most 6553 s for TTL */
	PINGS = 3,                        /* in a silence */
	KEEPALIVE_IDLE_S = 30,
	KEEPALIVE_EVERY_S = 10,
	KEEPALIVE_TIMES = 3,
	LINK_MS = CONNECT_MS + HANDSHAKE_MS + 1000, /* for what libzmq never reports */
	LARGEST = 128
		  << 20, /* bytes: the largest message a setting allows, behind a batch */
};

struct zsock {
	void *zctx;
	void *zmq;
	int type;
	zsock_fn *fn;
	zsock_link_fn *link_fn;
	void *arg;
	struct loop *loop;
	struct event *readable;
	struct timer *again;
	struct zlink *link;       /* NULL: not watched */
	struct zmonitor *accepts; /* NULL: not bound */
	int64_t peers;            /* accepted, and not gone yet */
	bool ending;              /* the link is down, which link_fn does not know yet */
	char endpoint[320];
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void receive_turn(void *arg);

static void set(void *zmq, int option, int value)
{
	int rc = zmq_setsockopt(zmq, option, &value, sizeof value);

	assert(rc == 0);
}

static struct event *watch_fd(struct loop *l, void *zmq, event_callback_fn fn, void *arg)
{
	int fd = -1;
	size_t n = sizeof fd;
	int rc = zmq_getsockopt(zmq, ZMQ_FD, &fd, &n);

	assert(rc == 0);

	struct event *e = event_new(loop_base(l), fd, EV_READ | EV_PERSIST, fn, arg);

	assert(e);
	event_add(e, NULL);
	return e;
}

static void *open_socket(void *zctx, int type)
{
	void *zmq = zmq_socket(zctx, type);

	if (!zmq) {
		log_error("zsock.failed", S("why", zmq_strerror(errno)),
			  S("hint", "raise the limit of open files"));
		abort();
	}
	return zmq;
}

static void set_keepalive(void *zmq)
{
	set(zmq, ZMQ_TCP_KEEPALIVE, 1);
	set(zmq, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
	set(zmq, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_EVERY_S);
	set(zmq, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_TIMES);
}

/*
 * A host that vanishes sends nothing, and a ROUTER cannot close one peer: so ZeroMQ's I/O
 * thread does, by itself. TTL asks the peer's end to do the same.
 */
void zsock_silence(struct zsock *z, int ms)
{
	assert(ms >= PINGS && ms <= SILENCE_MOST_MS);
	set(z->zmq, ZMQ_HEARTBEAT_IVL, ms / PINGS);
	set(z->zmq, ZMQ_HEARTBEAT_TIMEOUT, ms);
	set(z->zmq, ZMQ_HEARTBEAT_TTL, ms);
}

struct zsock *zsock_new(struct loop *l, void *zctx, int type, zsock_fn *fn, void *arg)
{
	struct zsock *z = xcalloc(1, sizeof *z);
	int64_t largest = LARGEST;

	z->zctx = zctx;
	z->zmq = open_socket(zctx, type);
	z->type = type;
	z->fn = fn;
	z->arg = arg;
	z->loop = l;
	set(z->zmq, ZMQ_LINGER, 0);
	set(z->zmq, ZMQ_SNDHWM, QUEUE);
	set(z->zmq, ZMQ_RCVHWM, QUEUE);
	set(z->zmq, ZMQ_RECONNECT_IVL, -1);
	set(z->zmq, ZMQ_CONNECT_TIMEOUT, CONNECT_MS);
	set(z->zmq, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
	set(z->zmq, ZMQ_IMMEDIATE, 1); /* what is accepted has a transport under it */
	set(z->zmq, ZMQ_IPV6, 1);
	set_keepalive(z->zmq);
	zsock_silence(z, ZSOCK_SILENCE_MS);
	zmq_setsockopt(z->zmq, ZMQ_MAXMSGSIZE, &largest, sizeof largest);
	if (type == ZMQ_ROUTER)
		set(z->zmq, ZMQ_ROUTER_MANDATORY, 1);
	z->again = timer_new(l, receive_turn, z);
	z->readable = watch_fd(l, z->zmq, on_readable, z);
	timer_after(z->again, 0);
	return z;
}

void zsock_linger(struct zsock *z, int ms)
{
	set(z->zmq, ZMQ_LINGER, ms);
}

void zsock_free(struct zsock *z)
{
	if (!z)
		return;
	zlink_free(z->link);
	zmonitor_free(z->accepts);
	timer_free(z->again);
	event_free(z->readable);
	zmq_close(z->zmq);
	free(z);
}

static enum err code_of(int error)
{
	switch (error) {
	case EINVAL:
	case EPROTONOSUPPORT:
	case ENOCOMPATPROTO:
	case ENAMETOOLONG: return ERR_MALFORMED;
	default: return ERR_BUSY;
	}
}

/* Libzmq takes port 99999 for 34463. */
static bool port_is_sound(const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');

	if (strncmp(endpoint, "tcp://", 6) != 0)
		return true;
	return strcmp(colon, ":*") == 0 ||
	       (strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
		atol(colon + 1) <= 65535);
}

/* Each accepted connection is reported once more: when it has ended, for any reason. */
static void on_accept(void *arg, unsigned event)
{
	struct zsock *z = arg;

	z->peers += event == ZMQ_EVENT_ACCEPTED ? 1 : -1;
}

enum err zsock_bind(struct zsock *z, const char *endpoint)
{
	if (!port_is_sound(endpoint))
		return ERR_MALFORMED;
	if (!z->accepts)
		z->accepts = zmonitor_new(z->loop, z->zctx, z->zmq,
					  ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED,
					  on_accept, z);
	return zmq_bind(z->zmq, endpoint) == 0 ? OK : code_of(errno);
}

enum err zsock_connect(struct zsock *z, const char *endpoint)
{
	if (!port_is_sound(endpoint))
		return ERR_MALFORMED;
	if (zmq_connect(z->zmq, endpoint) == -1)
		return code_of(errno);
	if (z->link)
		zlink_connecting(z->link, LINK_MS);
	return OK;
}

int64_t zsock_peers(const struct zsock *z)
{
	return z->peers;
}

/* tcp://[::ffff:10.0.0.7]:7400 is the same as tcp://10.0.0.7:7400. */
static void unmap(char *endpoint)
{
	static const char mapped[] = "tcp://[::ffff:";
	char *end = strchr(endpoint, ']'), *host = endpoint + strlen("tcp://");
	const char *address = endpoint + strlen(mapped);

	if (strncmp(endpoint, mapped, strlen(mapped)) != 0 || end == NULL ||
	    memchr(address, '.', (size_t)(end - address)) == NULL)
		return;
	memmove(host, address, (size_t)(end - address));
	memmove(host + (end - address), end + 1, strlen(end));
}

const char *zsock_endpoint(struct zsock *z)
{
	size_t n = sizeof z->endpoint;

	if (zmq_getsockopt(z->zmq, ZMQ_LAST_ENDPOINT, z->endpoint, &n) == -1)
		z->endpoint[0] = '\0';
	unmap(z->endpoint);
	return z->endpoint;
}

/* Asking lets the socket also take in what its I/O thread has to tell. */
static bool has_input(struct zsock *z)
{
	int events = 0;
	size_t n = sizeof events;

	zmq_getsockopt(z->zmq, ZMQ_EVENTS, &events, &n);
	return events & ZMQ_POLLIN;
}

/* A timer and not a loop here, so that the other sources are polled first. */
static void come_back(struct zsock *z)
{
	timer_after(z->again, 0);
}

/* A signal (SIGTERM, SIGHUP) may come in between: nothing was sent or received then. */
static int send_part(struct zsock *z, zmq_msg_t *part, int flags)
{
	int rc;

	do
		rc = zmq_msg_send(part, z->zmq, flags | ZMQ_DONTWAIT);
	while (rc == -1 && errno == EINTR);
	return rc;
}

static bool receive_part(struct zsock *z, zmq_msg_t *part)
{
	int rc;

	do
		rc = zmq_msg_recv(part, z->zmq, ZMQ_DONTWAIT);
	while (rc == -1 && errno == EINTR);
	return rc != -1;
}

/* Read to the end of a message that has more parts than it should. */
static void drop_rest(struct zsock *z)
{
	zmq_msg_t part;
	bool more = true;

	zmq_msg_init(&part);
	while (more && receive_part(z, &part))
		more = zmq_msg_more(&part);
	zmq_msg_close(&part);
	log_warn_flood("zsock.parts",
		       S("why", "dropped a message with the wrong number of parts"),
		       S("hint", "check what connects to this port"));
}

/* The body, after the routing id on a ROUTER; the parts of a message arrive together. */
static void take_body(struct zsock *z, struct span from, zmq_msg_t *body)
{
	if (zmq_msg_more(body))
		drop_rest(z);
	else
		z->fn(z->arg, from, body);
}

/* Take one message; false when there is none. */
static bool receive_one(struct zsock *z)
{
	zmq_msg_t from, body;

	zmq_msg_init(&from);
	zmq_msg_init(&body);

	bool ok = receive_part(z, z->type == ZMQ_ROUTER ? &from : &body);

	if (ok && z->type != ZMQ_ROUTER)
		take_body(z, (struct span){0}, &body);
	else if (ok && zmq_msg_more(&from) && receive_part(z, &body))
		take_body(z, span_of(zmq_msg_data(&from), zmq_msg_size(&from)), &body);
	zmq_msg_close(&from);
	zmq_msg_close(&body);
	return ok;
}

/*
 * ZMQ_FD signals a change once, not a state: take what is there, and come
 * back for what this turn leaves.
 *
 * source  zmq_getsockopt(3), ZMQ_FD
 */
static void receive_turn(void *arg)
{
	struct zsock *z = arg;

	for (int i = 0; i < TURN; i++) {
		if (receive_one(z))
			continue;
		if (z->ending) {
			z->ending = false;
			z->link_fn(z->arg, false);
		}
		return;
	}
	come_back(z);
}

/* Libevent's words into ours. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	receive_turn(arg);
}

/* Once more after asking: the socket may not have seen yet that its peer is there. */
static int try_send(struct zsock *z, zmq_msg_t *part, int flags)
{
	int rc = send_part(z, part, flags);

	if (rc == -1 && (errno == EAGAIN || errno == EHOSTUNREACH)) {
		int error = errno;

		if (has_input(z))
			come_back(z);
		errno = error;
		rc = send_part(z, part, flags);
	}
	return rc;
}

static int send_id(struct zsock *z, struct span to)
{
	zmq_msg_t id;

	zmq_msg_init_size(&id, to.n);
	if (to.n)
		memcpy(zmq_msg_data(&id), to.p, to.n);

	int rc = try_send(z, &id, ZMQ_SNDMORE);
	int error = errno;

	if (rc == -1)
		zmq_msg_close(&id);
	errno = error;
	return rc;
}

static enum err send_parts(struct zsock *z, struct span to, zmq_msg_t *body)
{
	if (z->link && !zlink_is_up(z->link))
		return ERR_DOWN; /* libzmq may still take it for a moment, and lose it */
	if (z->type == ZMQ_ROUTER && send_id(z, to) == -1)
		return errno == EAGAIN ? ERR_BUSY : ERR_DOWN;
	if (try_send(z, body, 0) == -1)
		return errno == EAGAIN ? ERR_BUSY : ERR_DOWN;
	return OK;
}

enum err zsock_send(struct zsock *z, struct span to, zmq_msg_t *body)
{
	enum err e = send_parts(z, to, body);

	if (e != OK)
		zmq_msg_close(body);
	if (has_input(z)) /* a send can swallow the signal of an arrival */
		come_back(z);
	return e;
}

/* The end is reported after the last message of the link. */
static void on_link(void *arg, bool up)
{
	struct zsock *z = arg;

	if (has_input(z) || !up)
		come_back(z);
	z->ending = !up;
	if (up)
		z->link_fn(z->arg, true);
}

void zsock_watch(struct zsock *z, zsock_link_fn *fn)
{
	assert(!z->link);
	z->link_fn = fn;
	z->link = zlink_new(z->loop, z->zctx, z->zmq, on_link, z);
}
