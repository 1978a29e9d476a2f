#include "fake_router.h"

#include "base/mem.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct zsock {
	zsock_fn *fn;
	void *arg;
};

struct sent {
	STAILQ_ENTRY(sent) next;
	char to[32];
	struct proto_arena arena;
	Gatepost__Envelope *envelope;
	size_t read; /* items */
};

static struct zsock *router;
static STAILQ_HEAD(, sent) all = STAILQ_HEAD_INITIALIZER(all);
static struct {
	char to[32];
	enum err err;
} failing;
static bool bind_fails;

struct zsock *zsock_new(struct loop *l, void *zctx, int type, zsock_fn *fn, void *arg)
{
	(void)l;
	(void)zctx;
	cr_assert(eq(int, type, ZMQ_ROUTER));
	router = xcalloc(1, sizeof *router);
	router->fn = fn;
	router->arg = arg;
	return router;
}

void zsock_free(struct zsock *z)
{
	free(z);
	router = NULL;
}

enum err zsock_bind(struct zsock *z, const char *endpoint)
{
	(void)z;
	(void)endpoint;
	errno = EADDRINUSE;
	return bind_fails ? ERR_BUSY : OK;
}

void zsock_silence(struct zsock *z, int ms)
{
	(void)z;
	(void)ms;
}

int64_t zsock_peers(const struct zsock *z)
{
	(void)z;
	return 0;
}

const char *zsock_endpoint(struct zsock *z)
{
	(void)z;
	return "tcp://127.0.0.1:7400";
}

enum err zsock_send(struct zsock *z, struct span to, zmq_msg_t *body)
{
	struct sent *s = xcalloc(1, sizeof *s);
	enum err e;

	(void)z;
	memcpy(s->to, to.p, to.n);
	proto_arena_init(&s->arena);
	e = envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)), &s->arena,
			  &s->envelope);
	cr_assert(eq(int, e, OK), "an envelope that no edge takes");
	zmq_msg_close(body);
	STAILQ_INSERT_TAIL(&all, s, next);
	return failing.to[0] == '*' || strcmp(failing.to, s->to) == 0 ? failing.err : OK;
}

void fake_router_receive(const char *from, zmq_msg_t *m)
{
	router->fn(router->arg, span_str(from), m);
	zmq_msg_close(m);
}

const Gatepost__Item *fake_router_read(const char *to)
{
	struct sent *s;

	STAILQ_FOREACH (s, &all, next)
		if (strcmp(s->to, to) == 0 && s->read < s->envelope->n_items)
			return s->envelope->items[s->read++];
	return NULL;
}

size_t fake_router_sent(const char *to)
{
	struct sent *s;
	size_t n = 0;

	STAILQ_FOREACH (s, &all, next)
		n += strcmp(s->to, to) == 0;
	return n;
}

void fake_router_fail(const char *to, enum err e)
{
	snprintf(failing.to, sizeof failing.to, "%s", to ? to : "*");
	failing.err = e;
}

void fake_router_bind_fails(void)
{
	bind_fails = true;
}

void fake_router_close(void)
{
	struct sent *s;

	while ((s = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, next);
		proto_arena_close(&s->arena);
		free(s);
	}
}
