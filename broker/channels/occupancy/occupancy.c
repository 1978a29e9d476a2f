#include "broker/channels/occupancy/occupancy.h"

#include "base/map.h"
#include "base/mem.h"
#include "broker/channels/occupancy/occupancy_event.h"
#include "broker/channels/occupancy/occupancy_channel.h"
#include "config/channels.h"

#include <stdlib.h>

enum {
	TICK_MS = 250,
	AT_ONCE = 1000, /* channels with something under way */
};

static bool is_needed(void *arg);
static void on_row(void *arg, const struct occupancy_row *row);
static void on_kept(void *arg, uint16_t shard);
static void on_lost(void *arg, uint16_t shard);
static void on_changed(void *arg, struct span channel);
static void tick(void *arg);
static void flush(void *arg);
static void on_absence(void *arg, bool all_known);

static void count(struct occupancies *o)
{
	static const char name[] = "gatepost_broker_occupancy_events_total";
	struct metrics *m = o->uses.metrics;

	o->events[0] = metric_counter(m, name, "action=\"vacated\"",
				      "Events that the webhooks occupied and vacated "
				      "have handled");
	o->events[1] = metric_counter(m, name, "action=\"occupied\"", "");
	o->failed = metric_counter(m, "gatepost_broker_occupancy_failed_total", NULL,
				   "Failed attempts of these webhooks");
	o->dropped =
		metric_counter(m, "gatepost_broker_occupancy_dropped_total", NULL,
			       "Events of these webhooks dropped after the last try");
}

struct occupancies *occupancy_new(const struct occupancy_uses *uses)
{
	struct occupancies *o = xcalloc(1, sizeof *o);

	o->uses = *uses;
	o->tracked = map_new();
	TAILQ_INIT(&o->ready);
	TAILQ_INIT(&o->absent);
	TAILQ_INIT(&o->checking);
	TAILQ_INIT(&o->paused);
	o->absence = occupancy_absence_new(uses->store, uses->interest);
	o->keeper =
		occupancy_keeper_new(&(struct keeper_uses){.loop = uses->loop,
							   .store = uses->store,
							   .members = uses->members,
							   .boot = uses->boot},
				     &(struct keeper_callbacks){.is_needed = is_needed,
								.row = on_row,
								.kept = on_kept,
								.lost = on_lost},
				     o);
	o->timer = timer_new(uses->loop, tick, o);
	timer_every(o->timer, TICK_MS);
	o->soon = timer_new(uses->loop, flush, o);
	interest_watch(uses->interest, on_changed, o);
	count(o);
	return o;
}

void occupancy_free(struct occupancies *o)
{
	struct tracked *t;

	if (o == NULL)
		return;
	interest_watch(o->uses.interest, NULL, NULL);
	for (size_t at = 0; (t = map_next(o->tracked, &at)) != NULL;) {
		occupancy_event_free(t->event);
		free(t);
	}
	map_free(o->tracked);
	occupancy_keeper_free(o->keeper);
	occupancy_absence_free(o->absence);
	timer_free(o->timer);
	timer_free(o->soon);
	free(o);
}

const struct config_namespace *occupancy_namespace(const struct occupancies *o,
						   struct span channel)
{
	return config_namespace(routes_config(o->uses.routes(o->uses.arg)), channel);
}

static bool is_needed(void *arg)
{
	const struct occupancies *o = arg;
	const struct config *c = routes_config(o->uses.routes(o->uses.arg));

	for (size_t i = 0; i < c->n_namespaces; i++)
		if (occupancy_event_on(&c->namespaces[i]) != 0)
			return true;
	return false;
}

void occupancy_stop(struct occupancies *o)
{
	occupancy_keeper_stop(o->keeper);
}

bool occupancy_is_stopped(const struct occupancies *o)
{
	return o->n_busy == 0 && !occupancy_keeper_is_any(o->keeper);
}

/* ---- tracked channels ---- */

struct span occupancy_name(const struct tracked *t)
{
	return span_of(t->name, t->n);
}

static void leave_list(struct tracked *t)
{
	if (t->in != NULL)
		TAILQ_REMOVE(t->in, t, next);
	t->in = NULL;
}

void occupancy_enlist(struct tracked *t, struct tracked_list *list)
{
	leave_list(t);
	TAILQ_INSERT_TAIL(list, t, next);
	t->in = list;
}

void occupancy_enqueue(struct tracked *t)
{
	occupancy_enlist(t, &t->all->ready);
	timer_after(t->all->soon, 0);
}

void occupancy_pause(struct tracked *t, int64_t ms)
{
	t->due_ms = loop_now(t->all->uses.loop) + ms;
	occupancy_enlist(t, &t->all->paused);
}

static struct tracked *tracked_of(struct occupancies *o, struct span channel)
{
	struct tracked *t = map_find(o->tracked, channel);

	if (t != NULL)
		return t;
	t = xcalloc(1, sizeof *t + channel.n);
	t->all = o;
	t->shard = store_occupancy_shard(channel);
	t->n = (uint8_t)channel.n;
	memcpy(t->name, channel.p, channel.n);
	map_put(o->tracked, occupancy_name(t), t);
	return t;
}

void occupancy_remove(struct tracked *t)
{
	leave_list(t);
	map_remove(t->all->tracked, occupancy_name(t));
	free(t);
}

/* ---- what keeper and interest say ---- */

static void on_row(void *arg, const struct occupancy_row *row)
{
	struct tracked *t;

	if (!channel_name_ok(row->channel))
		return;
	t = tracked_of(arg, row->channel);
	t->is = row->is;
	t->step = row->is.is_pending ? TELL : REST;
}

static void on_kept(void *arg, uint16_t shard)
{
	struct occupancies *o = arg;
	struct tracked *t;

	for (size_t at = 0; (t = map_next(o->tracked, &at)) != NULL;)
		if (t->shard == shard && !t->is_busy && t->in == NULL)
			occupancy_enqueue(t);
	interest_walk(o->uses.interest, on_changed, o);
}

static void on_lost(void *arg, uint16_t shard)
{
	struct occupancies *o = arg;
	struct tracked *t;

	for (size_t at = 0; (t = map_next(o->tracked, &at)) != NULL;) {
		if (t->shard != shard)
			continue;
		if (!t->is_busy) {
			occupancy_remove(t);
			continue;
		}
		t->is_stale = true;
		t->is = (struct occupancy){.is_occupied = false};
		t->step = REST;
	}
}

/* A channel that was told to be vacated is not tracked; nor is one without such a webhook. */
static void on_changed(void *arg, struct span channel)
{
	struct occupancies *o = arg;
	uint16_t shard = store_occupancy_shard(channel);
	struct tracked *t;

	if (occupancy_keeper_state(o->keeper, shard) != KEEPER_KEPT)
		return;
	t = map_find(o->tracked, channel);
	if (t == NULL) {
		if (!interest_is_carried(o->uses.interest, channel) ||
		    occupancy_event_on(occupancy_namespace(o, channel)) == 0)
			return;
		t = tracked_of(o, channel);
	}
	if (!t->is_busy && t->step == REST)
		occupancy_enqueue(t);
}

void occupancy_reload(struct occupancies *o)
{
	if (is_needed(o))
		interest_walk(o->uses.interest, on_changed, o);
}

/* ---- time ---- */

static void flush(void *arg)
{
	struct occupancies *o = arg;
	struct tracked *t;

	while (o->n_busy < AT_ONCE && (t = TAILQ_FIRST(&o->ready)) != NULL) {
		leave_list(t);
		occupancy_channel_advance(t);
	}
}

static void tick(void *arg)
{
	struct occupancies *o = arg;
	int64_t now = loop_now(o->uses.loop);
	struct tracked *t, *next;

	for (t = TAILQ_FIRST(&o->paused); t != NULL; t = next) {
		next = TAILQ_NEXT(t, next);
		if (t->due_ms <= now)
			occupancy_enqueue(t);
	}
	if (TAILQ_EMPTY(&o->absent) || !store_is_up(o->uses.store) ||
	    !occupancy_absence_check(o->absence, on_absence, o))
		return;
	while ((t = TAILQ_FIRST(&o->absent)) != NULL)
		occupancy_enlist(t, &o->checking);
}

/* ---- absence ---- */

static void on_absence(void *arg, bool all_known)
{
	struct occupancies *o = arg;
	struct tracked *t;

	while ((t = TAILQ_FIRST(&o->checking)) != NULL) {
		leave_list(t);
		if (all_known && o->n_busy < AT_ONCE &&
		    occupancy_keeper_state(o->keeper, t->shard) == KEEPER_KEPT)
			occupancy_channel_change(t, false);
		else
			occupancy_enlist(t, &o->absent);
	}
}
