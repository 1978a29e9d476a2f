#include "broker/events/redelivery.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/events/lane.h"

#include <event2/util.h>
#include <stdlib.h>

enum {
	AT_ONCE = 1000,  /* $disconnect functions */
	BATCH = 500,     /* of them in one command */
	FIRST_MS = 1000, /* between the first try and the second */
	MOST_MS = 5 * 60 * 1000,
};

struct owed {
	struct broker *broker;
	struct timer *timer;
	LIST_HEAD(, call) held;
	size_t n_held;
	struct timer *refill;
	uint16_t hungry;   /* an edge that owes more than there was room for; 0: none */
	uint16_t claiming; /* the edge of which the store is asked for more; 0: none */
	size_t most;       /* that it was asked for */
	int64_t kept_ms;   /* when claims were last kept alive */
	struct metric *failed, *parked, *dropped, *unreadable;
};

static void keep_claims(void *arg);
static void on_room(void *arg);
static void on_claimed(void *arg, enum err e, const struct disconnect *ds, size_t n);
static void on_kept(void *arg, enum err e);
static void on_given_up(void *arg, enum err e);

static int64_t ask_held(void *arg)
{
	const struct owed *o = arg;

	return (int64_t)o->n_held;
}

struct owed *owed_new(struct broker *b)
{
	struct owed *o = xcalloc(1, sizeof *o);

	o->broker = b;
	LIST_INIT(&o->held);
	o->kept_ms = loop_now(b->loop);
	o->timer = timer_new(b->loop, keep_claims, o);
	timer_every(o->timer, owed_claim_ms(b) / 3);
	o->refill = timer_new(b->loop, on_room, o);
	o->failed = metric_counter(b->metrics, "gatepost_broker_disconnects_failed_total",
				   NULL, "Times that a $disconnect function failed");
	o->parked = metric_counter(
		b->metrics, "gatepost_broker_disconnects_parked_total", NULL,
		"Disconnects that became dead letters after their last try");
	o->dropped = metric_counter(
		b->metrics, "gatepost_broker_disconnects_dropped_total", NULL,
		"Disconnects dropped, since there are too many dead letters");
	o->unreadable =
		metric_counter(b->metrics, "gatepost_broker_disconnects_unreadable_total",
			       NULL, "Unreadable disconnects that became dead letters");
	metric_asked_gauge(b->metrics, "gatepost_broker_disconnects_running", NULL,
			   "$disconnect functions that run now", ask_held, o);
	return o;
}

void owed_free(struct owed *o)
{
	if (o == NULL)
		return;
	timer_free(o->timer);
	timer_free(o->refill);
	free(o);
}

/* An edge may be dead for as long before anybody notices. */
int64_t owed_claim_ms(const struct broker *b)
{
	return b->conf.lease_ms;
}

/* ---- claims ---- */

void owed_hold(struct owed *o, struct call *c)
{
	if (c->is_held)
		return;
	LIST_INSERT_HEAD(&o->held, c, owed);
	o->n_held++;
	c->is_held = true;
}

void owed_release(struct call *c)
{
	struct owed *o = c->broker->owed;

	if (!c->is_held)
		return;
	LIST_REMOVE(c, owed);
	c->is_held = false;
	o->n_held--;
	if (o->hungry != 0 && o->n_held == AT_ONCE / 2)
		timer_after(o->refill, 0);
}

static int by_edge(const void *a, const void *b)
{
	const struct call *const *x = a, *const *y = b;

	return id_edge(&(*x)->id) - id_edge(&(*y)->id);
}

/* By the clock itself: the loop's time stands still within a turn, also in one that was stopped. */
static bool is_in_time(const struct owed *o)
{
	return clock_ms() - o->kept_ms < owed_claim_ms(o->broker);
}

/* We were stopped. They stay held, since their functions are still at work here. */
static void lose_claims(struct owed *o)
{
	struct call *c;

	LIST_FOREACH(c, &o->held, owed)
	c->is_lapsed = true;
}

/* All calls whose claims are ours, those of one edge beside each other; freed by the caller. */
static struct call **sorted(const struct owed *o, size_t *n)
{
	struct call **all = xcalloc(o->n_held + 1, sizeof *all);
	struct call *c;

	*n = 0;
	LIST_FOREACH(c, &o->held, owed)
	if (!c->is_lapsed)
		all[(*n)++] = c;
	qsort(all, *n, sizeof *all, by_edge);
	return all;
}

static void keep_some(struct owed *o, struct call **calls, size_t n)
{
	char(*texts)[ID_TEXT] = xcalloc(n, sizeof *texts);
	struct span *ids = xcalloc(n, sizeof *ids);

	for (size_t i = 0; i < n; i++)
		ids[i] = span_str(id_text(&calls[i]->id, texts[i]));
	store_disconnect_hold(o->broker->store, id_edge(&calls[0]->id), ids, n,
			      owed_claim_ms(o->broker), on_kept, NULL);
	free(ids);
	free(texts);
}

static void keep_claims(void *arg)
{
	struct owed *o = arg;
	size_t n, end;
	struct call **all;

	if (!is_in_time(o))
		lose_claims(o);
	all = sorted(o, &n);
	o->kept_ms = loop_now(o->broker->loop);
	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		while (end < n && end - i < BATCH && by_edge(&all[i], &all[end]) == 0)
			end++;
		keep_some(o, all + i, end - i);
	}
	free(all);
}

/* A claim that could not be kept is another broker's some time later: the function gets the same event twice. */
static void on_kept(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

/* ---- those whose edge is dead, or whose first try failed ---- */

bool owed_has_room(const struct owed *o)
{
	return o->n_held + (o->claiming != 0 ? o->most : 0) < AT_ONCE;
}

bool owed_is_ours(const struct call *c)
{
	return !c->is_lapsed && is_in_time(c->broker->owed);
}

bool owed_claim(struct owed *o, uint16_t edge)
{
	size_t room = o->n_held < AT_ONCE ? AT_ONCE - o->n_held : 0;

	if (o->claiming != 0 || room == 0)
		return false;
	o->claiming = edge;
	o->most = room < BATCH ? room : BATCH;
	store_disconnect_claim(o->broker->store, edge, o->most, owed_claim_ms(o->broker),
			       on_claimed, o);
	return true;
}

/* No function could be told of it, whoever tries, and however often. */
static void give_up(struct owed *o, const struct disconnect *d, const char *why)
{
	struct disconnect told = *d;

	told.error = span_str(why);
	metric_add(o->unreadable, 1);
	log_warn_flood("disconnect.unreadable", B("id", d->row.id),
		       I("edge", d->row.edge), S("why", why),
		       S("hint", "check who else writes to these keys; then gatepost "
				 "disconnects --retry or --drop"));
	store_disconnect_park(o->broker->store, &told, o->broker->conf.parked_most,
			      on_given_up, o);
}

/* If it was not parked, it is owed still, and claimed again in its time. */
static void on_given_up(void *arg, enum err e)
{
	if (e == ERR_TOOBIG)
		owed_dropped(arg);
}

static void take(struct owed *o, const struct disconnect *d)
{
	struct call *c = d->is_broken ? NULL : call_new_owed(o->broker, d);

	if (d->is_broken) {
		give_up(o, d, "foreign, or written by a later version");
	} else if (c == NULL) {
		give_up(o, d, "the id is another edge's, or the context cannot be read");
	} else {
		owed_hold(o, c);
		lane_take(o->broker->lanes, c);
	}
}

static void on_claimed(void *arg, enum err e, const struct disconnect *ds, size_t n)
{
	struct owed *o = arg;
	uint16_t edge = o->claiming;

	o->claiming = 0;
	for (size_t i = 0; e == OK && i < n; i++)
		take(o, &ds[i]);
	if (e != OK || n < o->most || o->broker->draining)
		return;
	if (!owed_claim(o, edge)) /* there may be more */
		o->hungry = edge;
}

/* Half of those that were under way are done. */
static void on_room(void *arg)
{
	struct owed *o = arg;
	uint16_t edge = o->hungry;

	o->hungry = 0;
	if (edge != 0 && store_is_up(o->broker->store) && !o->broker->draining)
		(void)owed_claim(o, edge);
}

/* ---- failures ---- */

/* 1 s, 2 s, 4 s … 5 min, each give or take a quarter, so that they do not come all at once. */
static int64_t pause_ms(int tries)
{
	int64_t ms = tries < 10 ? FIRST_MS << (tries - 1) : MOST_MS;
	uint32_t random;

	if (ms > MOST_MS)
		ms = MOST_MS;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	return ms * 3 / 4 + (int64_t)(random % (uint32_t)(ms / 2));
}

static void park(struct owed *o, const struct disconnect *d, store_done_fn *fn, void *arg)
{
	metric_add(o->parked, 1);
	log_warn_flood(
		"disconnect.dead_letter", B("id", d->row.id), I("tries", d->tries),
		B("why", d->error),
		S("hint",
		  "fix the $disconnect function, then gatepost disconnects --retry ID"));
	store_disconnect_park(o->broker->store, d, o->broker->conf.parked_most, fn, arg);
}

void owed_dropped(struct owed *o)
{
	metric_add(o->dropped, 1);
	log_warn_flood("disconnect.dropped", I("parked", o->broker->conf.parked_most),
		       S("hint", "fix the $disconnect function, then retry or drop dead "
				 "letters: gatepost disconnects --help"));
}

void owed_put_off(struct owed *o, const struct disconnect *d, store_done_fn *fn,
		  void *arg)
{
	metric_add(o->failed, 1);
	if (d->tries >= o->broker->conf.disconnect_tries)
		park(o, d, fn, arg);
	else
		store_disconnect_later(o->broker->store, d, pause_ms(d->tries), fn, arg);
}
