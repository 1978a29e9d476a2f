#include "broker/events/redelivery.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	AT_ONCE = 1000, /* $disconnect functions */
	BATCH = 500,    /* of them in one command */
};

struct claim {
	LIST_ENTRY(claim) next;
	struct redelivery *redelivery;
	struct id id;
	bool has_expired; /* it was not renewed: another broker may have it */
};

struct redelivery {
	struct redelivery_conf conf;
	struct redelivery_uses uses;
	struct timer *timer;
	LIST_HEAD(, claim) held;
	size_t n_held;
	struct timer *refill;
	bool is_stopped;
	uint16_t unserved; /* an edge with more pending than could be claimed; 0: none */
	uint16_t
		claiming; /* the edge whose pending disconnects are being claimed; 0: none */
	size_t most;      /* claims requested */
	int64_t kept_ms; /* when claims were last renewed */
	struct metric *failed, *parked, *dropped, *unreadable;
};

static void renew_claims(void *arg);
static void on_capacity(void *arg);
static void on_claimed(void *arg, enum err e, const struct disconnect *ds, size_t n);
static void on_renewed(void *arg, enum err e);
static void on_dropped_unreadable(void *arg, enum err e);

static int64_t ask_held(void *arg)
{
	const struct redelivery *r = arg;

	return (int64_t)r->n_held;
}

struct redelivery *redelivery_new(const struct redelivery_conf *conf,
				  const struct redelivery_uses *uses)
{
	struct redelivery *r = xcalloc(1, sizeof *r);
	struct metrics *m = uses->metrics;

	r->conf = *conf;
	r->uses = *uses;
	LIST_INIT(&r->held);
	r->kept_ms = loop_now(uses->loop);
	r->timer = timer_new(uses->loop, renew_claims, r);
	timer_every(r->timer, conf->claim_ms / 3);
	r->refill = timer_new(uses->loop, on_capacity, r);
	r->failed = metric_counter(m, "gatepost_broker_disconnects_failed_total", NULL,
				   "Failed attempts of a $disconnect function");
	r->parked = metric_counter(
		m, "gatepost_broker_disconnects_parked_total", NULL,
		"Disconnects that became dead letters after their last try");
	r->dropped = metric_counter(
		m, "gatepost_broker_disconnects_dropped_total", NULL,
		"Disconnects dropped, since there are too many dead letters");
	r->unreadable =
		metric_counter(m, "gatepost_broker_disconnects_unreadable_total", NULL,
			       "Unreadable disconnects that became dead letters");
	metric_asked_gauge(m, "gatepost_broker_disconnects_running", NULL,
			   "$disconnect functions that run now", ask_held, r);
	return r;
}

void redelivery_free(struct redelivery *r)
{
	if (r == NULL)
		return;
	for (struct claim *k; (k = LIST_FIRST(&r->held)) != NULL;) {
		LIST_REMOVE(k, next);
		free(k);
	}
	timer_free(r->timer);
	timer_free(r->refill);
	free(r);
}

void redelivery_stop(struct redelivery *r)
{
	r->is_stopped = true;
}

/* As long as an edge's lease. */
int64_t redelivery_claim_ms(const struct redelivery *r)
{
	return r->conf.claim_ms;
}

/* ---- claims ---- */

struct claim *redelivery_keep_claim(struct redelivery *r, const struct id *id)
{
	struct claim *k = xcalloc(1, sizeof *k);

	k->redelivery = r;
	k->id = *id;
	LIST_INSERT_HEAD(&r->held, k, next);
	r->n_held++;
	return k;
}

void redelivery_release_claim(struct claim *k)
{
	struct redelivery *r;

	if (k == NULL)
		return;
	r = k->redelivery;
	LIST_REMOVE(k, next);
	free(k);
	r->n_held--;
	if (r->unserved != 0 && r->n_held == AT_ONCE / 2)
		timer_after(r->refill, 0);
}

static int by_edge(const void *a, const void *b)
{
	const struct claim *const *x = a, *const *y = b;

	return id_edge(&(*x)->id) - id_edge(&(*y)->id);
}

/* By the clock itself: the loop's time stands still within a turn, also in one that was stopped. */
static bool are_claims_valid(const struct redelivery *r)
{
	return clock_ms() - r->kept_ms < r->conf.claim_ms;
}

/* We were stopped. They stay held, since their functions still run here. */
static void expire_claims(struct redelivery *r)
{
	struct claim *k;

	LIST_FOREACH (k, &r->held, next)
		k->has_expired = true;
}

/* All claims that are ours, those of one edge beside each other; freed by the caller. */
static struct claim **sorted(const struct redelivery *r, size_t *n)
{
	struct claim **all = xcalloc(r->n_held + 1, sizeof *all);
	struct claim *k;

	*n = 0;
	LIST_FOREACH (k, &r->held, next)
		if (!k->has_expired)
			all[(*n)++] = k;
	qsort(all, *n, sizeof *all, by_edge);
	return all;
}

static void renew_some(struct redelivery *r, struct claim **claims, size_t n)
{
	char(*texts)[ID_TEXT] = xcalloc(n, sizeof *texts);
	struct span *ids = xcalloc(n, sizeof *ids);

	for (size_t i = 0; i < n; i++)
		ids[i] = span_str(id_text(&claims[i]->id, texts[i]));
	store_disconnect_renew(r->uses.store, id_edge(&claims[0]->id), ids, n,
			       r->conf.claim_ms, on_renewed, NULL);
	free(ids);
	free(texts);
}

static void renew_claims(void *arg)
{
	struct redelivery *r = arg;
	size_t n, end;
	struct claim **all;

	if (!are_claims_valid(r))
		expire_claims(r);
	all = sorted(r, &n);
	r->kept_ms = loop_now(r->uses.loop);
	for (size_t i = 0; i < n; i = end) {
		end = i + 1;
		while (end < n && end - i < BATCH && by_edge(&all[i], &all[end]) == 0)
			end++;
		renew_some(r, all + i, end - i);
	}
	free(all);
}

/* Another broker takes a claim that could not be renewed: the function gets the same event twice. */
static void on_renewed(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

/* ---- pending disconnects ---- */

bool redelivery_has_capacity(const struct redelivery *r)
{
	return r->n_held + (r->claiming != 0 ? r->most : 0) < AT_ONCE;
}

bool redelivery_has_claim(const struct claim *k)
{
	return !k->has_expired && are_claims_valid(k->redelivery);
}

bool redelivery_claim(struct redelivery *r, uint16_t edge)
{
	size_t room = r->n_held < AT_ONCE ? AT_ONCE - r->n_held : 0;

	if (r->claiming != 0 || room == 0)
		return false;
	r->claiming = edge;
	r->most = room < BATCH ? room : BATCH;
	store_disconnect_claim(r->uses.store, edge, r->most, r->conf.claim_ms, on_claimed,
			       r);
	return true;
}

void redelivery_drop(struct redelivery *r)
{
	metric_add(r->dropped, 1);
	log_warn_flood("disconnect.dropped", I("limit", r->conf.dead_letters_most),
		       S("hint", "fix the $disconnect function, then retry or drop dead "
				 "letters: gatepost disconnects --help"));
}

/* No retry can help: it is unreadable. */
static void drop_unreadable(struct redelivery *r, const struct disconnect *d,
			    const char *why)
{
	struct disconnect dead = *d;

	dead.error = span_str(why);
	metric_add(r->unreadable, 1);
	log_warn_flood("disconnect.unreadable", B("id", d->row.id),
		       I("edge", d->row.edge), S("why", why),
		       S("hint", "check who else writes to these keys; then gatepost "
				 "disconnects --retry or --drop"));
	store_dead_letter_add(r->uses.store, &dead, r->conf.dead_letters_most,
			      on_dropped_unreadable, r);
}

/* If it did not become a dead letter, it is still pending, and claimed again later. */
static void on_dropped_unreadable(void *arg, enum err e)
{
	if (e == ERR_TOOBIG)
		redelivery_drop(arg);
}

static void on_claimed(void *arg, enum err e, const struct disconnect *ds, size_t n)
{
	struct redelivery *r = arg;
	uint16_t edge = r->claiming;

	r->claiming = 0;
	for (size_t i = 0; e == OK && i < n; i++) {
		if (ds[i].is_broken)
			drop_unreadable(r, &ds[i],
					"foreign, or written by a later version");
		else if (!r->uses.deliver(r->uses.arg, &ds[i]))
			drop_unreadable(
				r, &ds[i],
				"the id is another edge's, or the context cannot be "
				"read");
	}
	if (e != OK || n < r->most || r->is_stopped)
		return;
	if (!redelivery_claim(r, edge)) /* there may be more */
		r->unserved = edge;
}

/* Half of those that were under way are done. */
static void on_capacity(void *arg)
{
	struct redelivery *r = arg;
	uint16_t edge = r->unserved;

	r->unserved = 0;
	if (edge != 0 && store_is_up(r->uses.store) && !r->is_stopped)
		(void)redelivery_claim(r, edge);
}

/* ---- failures ---- */

static void add_dead_letter(struct redelivery *r, const struct disconnect *d,
			    store_done_fn *fn, void *arg)
{
	metric_add(r->parked, 1);
	log_warn_flood(
		"disconnect.dead_letter", B("id", d->row.id), I("tries", d->tries),
		B("why", d->error),
		S("hint",
		  "fix the $disconnect function, then gatepost disconnects --retry ID"));
	store_dead_letter_add(r->uses.store, d, r->conf.dead_letters_most, fn, arg);
}

void redelivery_defer(struct redelivery *r, const struct disconnect *d, store_done_fn *fn,
		      void *arg)
{
	metric_add(r->failed, 1);
	if (d->tries >= r->conf.tries)
		add_dead_letter(r, d, fn, arg);
	else
		store_disconnect_postpone(r->uses.store, d, backoff_ms(d->tries), fn,
					  arg);
}
