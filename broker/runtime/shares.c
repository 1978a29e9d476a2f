#include "broker/runtime/shares.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Of four turns, one is for clients that have several waiting, also while new clients come. */
enum { TURNS = 4 };

TAILQ_HEAD(clients, client_share);

/* A client that has something here. */
struct client_share {
	TAILQ_ENTRY(client_share)
	in;                     /* in one of the lists, while something of it waits */
	struct clients *listed; /* NULL: nothing of it waits */
	TAILQ_HEAD(, share) waiting;
	size_t n_waiting, n_under_way;
	bool is_fresh; /* it has had no turn since it came */
	size_t key_n;
	uint8_t key[SHARE_KEY];
};

struct shares {
	struct map *clients;
	struct clients fresh, idle; /* nothing of them runs */
	struct clients busy;
	size_t n_begun;
};

struct shares *shares_new(void)
{
	struct shares *ss = xcalloc(1, sizeof *ss);

	ss->clients = map_new();
	TAILQ_INIT(&ss->fresh);
	TAILQ_INIT(&ss->idle);
	TAILQ_INIT(&ss->busy);
	return ss;
}

void shares_free(struct shares *ss)
{
	if (ss == NULL)
		return;
	assert(map_size(ss->clients) == 0);
	map_free(ss->clients);
	free(ss);
}

static struct client_share *find(struct shares *ss, struct span who)
{
	struct client_share *c = map_find(ss->clients, who);

	if (c != NULL)
		return c;
	assert(who.n <= SHARE_KEY);
	c = xcalloc(1, sizeof *c);
	TAILQ_INIT(&c->waiting);
	c->is_fresh = true;
	c->key_n = who.n;
	memcpy(c->key, who.p, who.n);
	map_put(ss->clients, span_of(c->key, c->key_n), c);
	return c;
}

/* At the end of the list that it belongs to now; where it was, when it is the same one. */
static void settle(struct shares *ss, struct client_share *c)
{
	struct clients *to = c->n_under_way > 0 ? &ss->busy
			     : c->is_fresh      ? &ss->fresh
						: &ss->idle;

	if (c->n_waiting == 0)
		to = NULL;
	if (c->listed == to)
		return;
	if (c->listed != NULL)
		TAILQ_REMOVE(c->listed, c, in);
	if (to != NULL)
		TAILQ_INSERT_TAIL(to, c, in);
	c->listed = to;
}

void shares_wait(struct shares *ss, struct share *s, struct span who, bool first)
{
	struct client_share *c = find(ss, who);

	assert(s->of == NULL);
	s->of = c;
	s->is_waiting = true;
	c->n_waiting++;
	if (first)
		TAILQ_INSERT_HEAD(&c->waiting, s, in);
	else
		TAILQ_INSERT_TAIL(&c->waiting, s, in);
	settle(ss, c);
	if (first) {
		TAILQ_REMOVE(c->listed, c, in);
		TAILQ_INSERT_HEAD(c->listed, c, in);
	}
}

struct share *shares_next(const struct shares *ss, bool more)
{
	bool others = ss->n_begun % TURNS == TURNS - 1;
	const struct client_share *c = TAILQ_FIRST(others ? &ss->idle : &ss->fresh);

	if (c == NULL)
		c = TAILQ_FIRST(others ? &ss->fresh : &ss->idle);
	if (c == NULL && more)
		c = TAILQ_FIRST(&ss->busy);
	return c != NULL ? TAILQ_FIRST(&c->waiting) : NULL;
}

static void stop_waiting(struct share *s)
{
	struct client_share *c = s->of;

	TAILQ_REMOVE(&c->waiting, s, in);
	s->is_waiting = false;
	c->n_waiting--;
}

void shares_begin(struct shares *ss, struct share *s)
{
	struct client_share *c = s->of;

	stop_waiting(s);
	c->n_under_way++;
	c->is_fresh = false;
	ss->n_begun++;
	if (c->listed == &ss->busy) { /* the next one is another's */
		TAILQ_REMOVE(c->listed, c, in);
		c->listed = NULL;
	}
	settle(ss, c);
}

void shares_leave(struct shares *ss, struct share *s)
{
	struct client_share *c = s->of;

	if (s->is_waiting)
		stop_waiting(s);
	else
		c->n_under_way--;
	s->of = NULL;
	settle(ss, c);
	if (c->n_waiting + c->n_under_way > 0)
		return;
	map_remove(ss->clients, span_of(c->key, c->key_n));
	free(c);
}

bool shares_is_only(const struct share *s)
{
	return s->of->n_waiting + s->of->n_under_way == 1;
}
