#include "broker/channels/delivery/read.h"

#include "base/mem.h"
#include "broker/channels/delivery/generation.h"
#include "broker/channels/delivery/interest.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { WAIT_MS = 900, MOST = 20000 }; /* who asked has the failure within a second */

static const struct failure store_down = {
	"unavailable", "Redis is unreachable, try again in a moment", true};
static const struct failure too_many = {
	"unavailable", "This broker has too many reads in progress, try again", true};

struct reading {
	TAILQ_ENTRY(reading) next;
	struct readers *readers;
	read_fn *fn; /* NULL: it was too late, Redis's answer is awaited alone */
	void *arg;
	struct channel_read read;
	int64_t until_ms;
	uint8_t channel[];
};

TAILQ_HEAD(reading_list, reading);

struct readers {
	struct readers_uses uses;
	struct timer *timer; /* for the first of waiting */
	struct reading_list waiting, late;
	size_t n;
};

static void on_time(void *arg);
static void on_generation(void *arg, const char *generation);
static void on_history(void *arg, enum err e, const struct channel_history *h);

struct readers *readers_new(const struct readers_uses *uses)
{
	struct readers *r = xcalloc(1, sizeof *r);

	r->uses = *uses;
	r->timer = timer_new(uses->loop, on_time, r);
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->late);
	return r;
}

static void reading_free(struct reading *g)
{
	struct readers *r = g->readers;

	if (g->fn != NULL)
		TAILQ_REMOVE(&r->waiting, g, next);
	else
		TAILQ_REMOVE(&r->late, g, next);
	r->n--;
	free(g);
}

void readers_free(struct readers *r)
{
	struct reading *g;

	if (r == NULL)
		return;
	while ((g = TAILQ_FIRST(&r->waiting)) != NULL ||
	       (g = TAILQ_FIRST(&r->late)) != NULL)
		reading_free(g);
	timer_free(r->timer);
	free(r);
}

static void finish(struct reading *g, const struct failure *failure,
		   const struct channel_history *h)
{
	read_fn *fn = g->fn;
	void *arg = g->arg;

	reading_free(g);
	if (fn != NULL)
		fn(arg, failure, h);
}

/* The answer is not waited for any more; who asked gets his failure now. */
static void expire(struct reading *g)
{
	struct readers *r = g->readers;
	read_fn *fn = g->fn;

	TAILQ_REMOVE(&r->waiting, g, next);
	g->fn = NULL;
	TAILQ_INSERT_TAIL(&r->late, g, next);
	if (fn != NULL)
		fn(g->arg, &store_down, NULL);
}

static void on_time(void *arg)
{
	struct readers *r = arg;
	int64_t now = loop_now(r->uses.loop);
	struct reading *g;

	while ((g = TAILQ_FIRST(&r->waiting)) != NULL && g->until_ms <= now)
		expire(g);
	if (g != NULL)
		timer_after(r->timer, g->until_ms - now);
}

static void on_generation(void *arg, const char *generation)
{
	struct reading *g = arg;
	const struct readers_uses *uses = &g->readers->uses;
	struct channel_look *look = &g->read.look;
	char proposed[GENERATION_PROPOSED];

	if (generation == NULL || g->fn == NULL) {
		finish(g, &store_down, NULL);
		return;
	}
	look->generation = span_str(generation);
	look->proposed = span_str(generation_proposed(uses->generation, proposed));
	look->known = interest_known(uses->interest, look->channel);
	store_channel_read(uses->store, &g->read, on_history, g);
}

static void on_history(void *arg, enum err e, const struct channel_history *h)
{
	finish(arg, e == OK ? NULL : &store_down, h);
}

void read_channel(struct readers *r, const struct read_request *q, read_fn *fn, void *arg)
{
	struct reading *g;

	if (r->n >= MOST) {
		fn(arg, &too_many, NULL);
		return;
	}
	g = xcalloc(1, sizeof *g + q->channel.n);
	g->readers = r;
	g->fn = fn;
	g->arg = arg;
	memcpy(g->channel, q->channel.p, q->channel.n);
	g->read = (struct channel_read){
		.look = {.channel = span_of(g->channel, q->channel.n),
			 .ttl_ms = q->ns->history.ttl_ms},
		.after = q->after,
		.until = q->until,
		.limit = q->limit,
		.bytes = q->bytes,
		.newest = q->newest,
	};
	g->until_ms = loop_now(r->uses.loop) + WAIT_MS;
	if (TAILQ_EMPTY(&r->waiting))
		timer_after(r->timer, WAIT_MS);
	TAILQ_INSERT_TAIL(&r->waiting, g, next);
	r->n++;
	generation_get(r->uses.generation, on_generation, g);
}
