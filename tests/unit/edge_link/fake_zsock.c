#include "fake_zsock.h"

#include "base/mem.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct zsock {
	LIST_ENTRY(zsock) next;
	zsock_fn *fn;
	zsock_link_fn *on_link;
	void *arg;
	char endpoint[64];
};

struct sent {
	STAILQ_ENTRY(sent) next;
	char to[64];
	struct proto_arena arena;
	Gatepost__Envelope *envelope;
	size_t read; /* items */
};

/* What is known of an endpoint, whether or not a socket is there. */
struct place {
	char endpoint[64];
	size_t made;
	int linger_ms;
	enum err send, connect;
};

enum { PLACES = 256 };

static LIST_HEAD(, zsock) sockets = LIST_HEAD_INITIALIZER(sockets);
static STAILQ_HEAD(, sent) all = STAILQ_HEAD_INITIALIZER(all);
static struct place places[PLACES];

static struct place *place(const char *endpoint)
{
	size_t i = 0;

	while (i < PLACES && places[i].endpoint[0] != '\0' &&
	       strcmp(places[i].endpoint, endpoint) != 0)
		i++;
	cr_assert(lt(sz, i, PLACES));
	snprintf(places[i].endpoint, sizeof places[i].endpoint, "%s", endpoint);
	return &places[i];
}

/* One that is closed stays until the end of the turn; the newest comes first. */
static struct zsock *find(const char *endpoint)
{
	struct zsock *z;

	LIST_FOREACH (z, &sockets, next)
		if (strcmp(z->endpoint, endpoint) == 0)
			return z;
	return NULL;
}

struct zsock *zsock_new(struct loop *l, void *zctx, int type, zsock_fn *fn, void *arg)
{
	struct zsock *z = xcalloc(1, sizeof *z);

	(void)l;
	(void)zctx;
	cr_assert(eq(int, type, ZMQ_DEALER));
	z->fn = fn;
	z->arg = arg;
	LIST_INSERT_HEAD(&sockets, z, next);
	return z;
}

void zsock_free(struct zsock *z)
{
	if (z == NULL)
		return;
	LIST_REMOVE(z, next);
	free(z);
}

void zsock_linger(struct zsock *z, int ms)
{
	place(z->endpoint)->linger_ms = ms;
}

void zsock_silence(struct zsock *z, int ms)
{
	(void)z;
	(void)ms;
}

void zsock_watch(struct zsock *z, zsock_link_fn *fn)
{
	z->on_link = fn;
}

enum err zsock_connect(struct zsock *z, const char *endpoint)
{
	struct place *p = place(endpoint);

	snprintf(z->endpoint, sizeof z->endpoint, "%s", endpoint);
	p->made++;
	return p->connect;
}

enum err zsock_send(struct zsock *z, struct span to, zmq_msg_t *body)
{
	struct sent *s = xcalloc(1, sizeof *s);
	enum err e = place(z->endpoint)->send;

	cr_assert(eq(sz, to.n, 0));
	snprintf(s->to, sizeof s->to, "%s", e == OK ? z->endpoint : "lost");
	proto_arena_init(&s->arena);
	cr_assert(eq(int,
		     envelope_read(span_of(zmq_msg_data(body), zmq_msg_size(body)),
				   &s->arena, &s->envelope),
		     OK),
		  "an envelope that no broker takes");
	zmq_msg_close(body);
	STAILQ_INSERT_TAIL(&all, s, next);
	return e;
}

bool fake_zsock_exists(const char *endpoint)
{
	return find(endpoint) != NULL;
}

size_t fake_zsock_made(const char *endpoint)
{
	return place(endpoint)->made;
}

void fake_zsock_transport(const char *endpoint, bool up)
{
	struct zsock *z = find(endpoint);

	cr_assert(z != NULL, "no socket for %s", endpoint);
	cr_assert(z->on_link != NULL);
	z->on_link(z->arg, up);
}

void fake_zsock_receive(const char *endpoint, zmq_msg_t *m)
{
	struct zsock *z = find(endpoint);

	cr_assert(z != NULL, "no socket for %s", endpoint);
	z->fn(z->arg, span_of(NULL, 0), m);
	zmq_msg_close(m);
}

const Gatepost__Item *fake_zsock_read(const char *endpoint)
{
	struct sent *s;

	STAILQ_FOREACH (s, &all, next)
		if (strcmp(s->to, endpoint) == 0 && s->read < s->envelope->n_items)
			return s->envelope->items[s->read++];
	return NULL;
}

const Gatepost__Envelope *fake_zsock_last(const char *endpoint)
{
	const Gatepost__Envelope *last = NULL;
	struct sent *s;

	STAILQ_FOREACH (s, &all, next)
		if (strcmp(s->to, endpoint) == 0)
			last = s->envelope;
	return last;
}

size_t fake_zsock_sent(const char *endpoint)
{
	struct sent *s;
	size_t n = 0;

	STAILQ_FOREACH (s, &all, next)
		n += strcmp(s->to, endpoint) == 0;
	return n;
}

void fake_zsock_fail(const char *endpoint, enum err e)
{
	place(endpoint)->send = e;
}

void fake_zsock_connect_fails(const char *endpoint, enum err e)
{
	place(endpoint)->connect = e;
}

int fake_zsock_linger(const char *endpoint)
{
	return place(endpoint)->linger_ms;
}

void fake_zsock_close(void)
{
	struct sent *s;

	cr_assert(sockets.lh_first == NULL, "a socket was not freed");
	while ((s = STAILQ_FIRST(&all)) != NULL) {
		STAILQ_REMOVE_HEAD(&all, next);
		proto_arena_close(&s->arena);
		free(s);
	}
}
