#include "broker/channels/occupancy.h"

#include "base/map.h"
#include "base/mem.h"
#include "broker/channels/occupancy_event.h"
#include "broker/channels/occupancy_room.h"
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
	o->rooms = map_new();
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
	struct room *r;

	if (o == NULL)
		return;
	interest_watch(o->uses.interest, NULL, NULL);
	for (size_t at = 0; (r = map_next(o->rooms, &at)) != NULL;) {
		occupancy_event_free(r->event);
		free(r);
	}
	map_free(o->rooms);
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

/* ---- rooms ---- */

struct span occupancy_name(const struct room *r)
{
	return span_of(r->name, r->n);
}

static void leave_list(struct room *r)
{
	if (r->in != NULL)
		TAILQ_REMOVE(r->in, r, next);
	r->in = NULL;
}

void occupancy_enlist(struct room *r, struct room_list *list)
{
	leave_list(r);
	TAILQ_INSERT_TAIL(list, r, next);
	r->in = list;
}

void occupancy_enqueue(struct room *r)
{
	occupancy_enlist(r, &r->all->ready);
	timer_after(r->all->soon, 0);
}

void occupancy_pause(struct room *r, int64_t ms)
{
	r->due_ms = loop_now(r->all->uses.loop) + ms;
	occupancy_enlist(r, &r->all->paused);
}

static struct room *room_of(struct occupancies *o, struct span channel)
{
	struct room *r = map_find(o->rooms, channel);

	if (r != NULL)
		return r;
	r = xcalloc(1, sizeof *r + channel.n);
	r->all = o;
	r->shard = store_occupancy_shard(channel);
	r->n = (uint8_t)channel.n;
	memcpy(r->name, channel.p, channel.n);
	map_put(o->rooms, occupancy_name(r), r);
	return r;
}

void occupancy_remove(struct room *r)
{
	leave_list(r);
	map_remove(r->all->rooms, occupancy_name(r));
	free(r);
}

/* ---- what keeper and interest say ---- */

static void on_row(void *arg, const struct occupancy_row *row)
{
	struct room *r;

	if (!channel_name_ok(row->channel))
		return;
	r = room_of(arg, row->channel);
	r->is = row->is;
	r->step = row->is.is_pending ? TELL : REST;
}

static void on_kept(void *arg, uint16_t shard)
{
	struct occupancies *o = arg;
	struct room *r;

	for (size_t at = 0; (r = map_next(o->rooms, &at)) != NULL;)
		if (r->shard == shard && !r->is_busy && r->in == NULL)
			occupancy_enqueue(r);
	interest_walk(o->uses.interest, on_changed, o);
}

static void on_lost(void *arg, uint16_t shard)
{
	struct occupancies *o = arg;
	struct room *r;

	for (size_t at = 0; (r = map_next(o->rooms, &at)) != NULL;) {
		if (r->shard != shard)
			continue;
		if (!r->is_busy) {
			occupancy_remove(r);
			continue;
		}
		r->is_stale = true;
		r->is = (struct occupancy){.is_occupied = false};
		r->step = REST;
	}
}

/* A channel that was told to be vacated has no room; nor has one without such a webhook. */
static void on_changed(void *arg, struct span channel)
{
	struct occupancies *o = arg;
	uint16_t shard = store_occupancy_shard(channel);
	struct room *r;

	if (occupancy_keeper_state(o->keeper, shard) != KEEPER_KEPT)
		return;
	r = map_find(o->rooms, channel);
	if (r == NULL) {
		if (!interest_is_carried(o->uses.interest, channel) ||
		    occupancy_event_on(occupancy_namespace(o, channel)) == 0)
			return;
		r = room_of(o, channel);
	}
	if (!r->is_busy && r->step == REST)
		occupancy_enqueue(r);
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
	struct room *r;

	while (o->n_busy < AT_ONCE && (r = TAILQ_FIRST(&o->ready)) != NULL) {
		leave_list(r);
		occupancy_room_advance(r);
	}
}

static void tick(void *arg)
{
	struct occupancies *o = arg;
	int64_t now = loop_now(o->uses.loop);
	struct room *r, *next;

	for (r = TAILQ_FIRST(&o->paused); r != NULL; r = next) {
		next = TAILQ_NEXT(r, next);
		if (r->due_ms <= now)
			occupancy_enqueue(r);
	}
	if (TAILQ_EMPTY(&o->absent) || !store_is_up(o->uses.store) ||
	    !occupancy_absence_check(o->absence, on_absence, o))
		return;
	while ((r = TAILQ_FIRST(&o->absent)) != NULL)
		occupancy_enlist(r, &o->checking);
}

/* ---- absence ---- */

static void on_absence(void *arg, bool all_known)
{
	struct occupancies *o = arg;
	struct room *r;

	while ((r = TAILQ_FIRST(&o->checking)) != NULL) {
		leave_list(r);
		if (all_known && o->n_busy < AT_ONCE &&
		    occupancy_keeper_state(o->keeper, r->shard) == KEEPER_KEPT)
			occupancy_room_change(r, false);
		else
			occupancy_enlist(r, &o->absent);
	}
}
