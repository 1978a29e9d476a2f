#include "broker/channels/occupancy.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "broker/channels/occupancy_absence.h"
#include "broker/channels/occupancy_event.h"
#include "broker/channels/occupancy_keeper.h"
#include "config/channels.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
	TICK_MS = 250,
	AT_ONCE = 1000,  /* channels with something under way */
	AGAIN_MS = 1000, /* after the store did not answer */
};

/* What is done next with a room. */
enum step { REST, READ, BEGIN, TELL, END };

/* A channel of a shard that is kept here: told to be occupied, or with an event. */
struct room {
	TAILQ_ENTRY(room) next;
	struct room_list *in; /* NULL: in none */
	struct occupancies *all;
	struct occupancy is; /* BEGIN to END: the event */
	enum step step;
	bool is_busy;  /* an answer is awaited */
	bool is_stale; /* and the shard was lost meanwhile: it does not count */
	struct occupancy_event *event; /* TELL, busy */
	int64_t due_ms;                /* in paused */
	uint16_t shard;
	uint8_t n;
	uint8_t name[]; /* the key */
};

TAILQ_HEAD(room_list, room);

struct occupancies {
	struct occupancy_uses uses;
	struct occupancy_keeper *keeper;
	struct occupancy_absence *absence;
	struct timer *timer, *soon;
	struct map *rooms;
	/* Absent: not carried here; checking: the same while the absence is checked. */
	struct room_list ready, absent, checking, paused;
	size_t n_busy;
	struct metric *events[2], *failed, *dropped;
};

static bool is_needed(void *arg);
static void on_row(void *arg, const struct occupancy_row *row);
static void on_kept(void *arg, uint16_t shard);
static void on_lost(void *arg, uint16_t shard);
static void on_changed(void *arg, struct span channel);
static void tick(void *arg);
static void flush(void *arg);
static void advance(struct room *r);
static void on_position(void *arg, const struct failure *f,
			const struct channel_history *h);
static void on_begun(void *arg, enum err e);
static void on_told(void *arg, const char *why);
static void on_deferred(void *arg, enum err e);
static void on_ended(void *arg, enum err e);
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

static const struct config_namespace *namespace_of(const struct occupancies *o,
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

static struct span name_of(const struct room *r)
{
	return span_of(r->name, r->n);
}

static void leave_list(struct room *r)
{
	if (r->in != NULL)
		TAILQ_REMOVE(r->in, r, next);
	r->in = NULL;
}

static void enlist(struct room *r, struct room_list *list)
{
	leave_list(r);
	TAILQ_INSERT_TAIL(list, r, next);
	r->in = list;
}

static void enqueue(struct room *r)
{
	enlist(r, &r->all->ready);
	timer_after(r->all->soon, 0);
}

static void pause_for(struct room *r, int64_t ms)
{
	r->due_ms = loop_now(r->all->uses.loop) + ms;
	enlist(r, &r->all->paused);
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
	map_put(o->rooms, name_of(r), r);
	return r;
}

static void room_free(struct room *r)
{
	leave_list(r);
	map_remove(r->all->rooms, name_of(r));
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
			enqueue(r);
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
			room_free(r);
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
		    occupancy_event_on(namespace_of(o, channel)) == 0)
			return;
		r = room_of(o, channel);
	}
	if (!r->is_busy && r->step == REST)
		enqueue(r);
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
		advance(r);
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
			enqueue(r);
	}
	if (TAILQ_EMPTY(&o->absent) || !store_is_up(o->uses.store) ||
	    !occupancy_absence_check(o->absence, on_absence, o))
		return;
	while ((r = TAILQ_FIRST(&o->absent)) != NULL)
		enlist(r, &o->checking);
}

/* ---- one room ---- */

static void await(struct room *r)
{
	r->is_busy = true;
	r->all->n_busy++;
	occupancy_keeper_begin(r->all->keeper, r->shard);
}

/* Does the answer count? Otherwise it was of an earlier time in which this broker kept the shard. */
static bool has_answer(struct room *r)
{
	bool was_stale = r->is_stale;

	r->is_busy = r->is_stale = false;
	r->all->n_busy--;
	occupancy_keeper_finish(r->all->keeper, r->shard);
	timer_after(r->all->soon, 0);
	if (was_stale)
		enqueue(r);
	return !was_stale;
}

/* Write the room as it is; handled: without its event. */
static void write_room(struct room *r, bool handled, store_done_fn *fn)
{
	const struct occupancy_uses *uses = &r->all->uses;
	struct occupancy is = r->is;

	is.is_pending = !handled;
	await(r);
	store_occupancy_write(uses->store, uses->boot, name_of(r), &is, fn, r);
}

static void read_position(struct room *r, const struct config_namespace *ns)
{
	struct read_request q = {.ns = ns, .channel = name_of(r), .until = -1};

	await(r);
	read_channel(r->all->uses.readers, &q, on_position, r);
}

/* The webhook may have gone with the last configuration: then nobody is told. */
static void tell(struct room *r)
{
	struct routes *routes = r->all->uses.routes(r->all->uses.arg);

	r->event = occupancy_event_new(routes, name_of(r), &r->is);
	if (r->event == NULL) {
		r->step = END;
		advance(r);
		return;
	}
	await(r);
	occupancy_event_invoke(r->event, on_told, r);
}

/* It is occupied now, or vacated. Without a webhook for that nobody is told, but it is written. */
static void change(struct room *r, bool is_occupied)
{
	const struct config_namespace *ns = namespace_of(r->all, name_of(r));
	unsigned bit = is_occupied ? CHANNEL_ON_OCCUPIED : CHANNEL_ON_VACATED;

	r->is = (struct occupancy){.is_occupied = is_occupied};
	r->step = END;
	if (occupancy_event_on(ns) & bit) {
		r->is.is_pending = true;
		r->is.time_ms = clock_wall_ms();
		occupancy_event_name(r->is.event);
		r->step = ns->history.size > 0 ? READ : BEGIN;
	}
	advance(r);
}

static void compare(struct room *r)
{
	bool is_carried = interest_is_carried(r->all->uses.interest, name_of(r));

	if (is_carried && !r->is.is_occupied)
		change(r, true);
	else if (!is_carried && r->is.is_occupied)
		enlist(r, &r->all->absent);
	else if (!r->is.is_occupied)
		room_free(r);
}

/* Only a shard that is kept has rooms that go on; the keeper calls on_kept or on_lost for those of others. */
static void advance(struct room *r)
{
	const struct occupancies *o = r->all;
	enum keeper_state state = occupancy_keeper_state(o->keeper, r->shard);
	const struct config_namespace *ns;

	if (state == KEEPER_NONE) {
		room_free(r);
		return;
	}
	if (!occupancy_keeper_has_lease(o->keeper, r->shard) ||
	    (state == KEEPER_LEAVING && r->step != END))
		return;
	switch (r->step) {
	case REST: compare(r); break;
	case READ:
		ns = namespace_of(o, name_of(r));
		if (ns != NULL && ns->history.size > 0) {
			read_position(r, ns);
			break;
		}
		r->step = BEGIN;
		write_room(r, false, on_begun);
		break;
	case BEGIN: write_room(r, false, on_begun); break;
	case TELL: tell(r); break;
	case END: write_room(r, true, on_ended); break;
	}
}

static void on_position(void *arg, const struct failure *f,
			const struct channel_history *h)
{
	struct room *r = arg;

	if (!has_answer(r))
		return;
	if (f != NULL) {
		pause_for(r, AGAIN_MS);
		return;
	}
	snprintf(r->is.epoch, sizeof r->is.epoch, "%.*s", SPAN_ARG(h->position.epoch));
	r->is.offset = h->position.offset;
	r->step = BEGIN;
	advance(r);
}

/* Was it written? If not: again in a while, or another broker keeps the shard, and goes on. */
static bool is_written(struct room *r, enum err e)
{
	if (!has_answer(r))
		return false;
	if (e == ERR_DENIED)
		occupancy_keeper_denied(r->all->keeper, r->shard);
	else if (e != OK)
		pause_for(r, AGAIN_MS);
	return e == OK;
}

static void on_begun(void *arg, enum err e)
{
	struct room *r = arg;

	if (!is_written(r, e))
		return;
	r->step = TELL;
	advance(r);
}

static void drop(struct room *r, const char *why)
{
	metric_add(r->all->dropped, 1);
	log_warn_flood("webhook.dropped", B("channel", name_of(r)),
		       S("action", r->is.is_occupied ? "occupied" : "vacated"),
		       I("tries", r->is.tries), S("why", why),
		       S("hint", "fix the function: this event is lost"));
	r->step = END;
	advance(r);
}

static void on_told(void *arg, const char *why)
{
	struct room *r = arg;
	struct occupancies *o = r->all;
	bool counts = has_answer(r);

	occupancy_event_free(r->event);
	r->event = NULL;
	metric_add(why == NULL ? o->events[r->is.is_occupied] : o->failed, counts);
	if (!counts)
		return;
	if (why == NULL) {
		r->step = END;
		advance(r);
	} else if (++r->is.tries >= o->uses.tries) {
		drop(r, why);
	} else {
		write_room(r, false, on_deferred);
	}
}

/* If the count was not written, a broker that goes on here tries once more. */
static void on_deferred(void *arg, enum err e)
{
	struct room *r = arg;

	if (!has_answer(r))
		return;
	if (e == ERR_DENIED)
		occupancy_keeper_denied(r->all->keeper, r->shard);
	else
		pause_for(r, backoff_ms(r->is.tries));
}

static void on_ended(void *arg, enum err e)
{
	struct room *r = arg;

	if (!is_written(r, e))
		return;
	r->is.is_pending = false;
	r->step = REST;
	advance(r);
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
			change(r, false);
		else
			enlist(r, &o->absent);
	}
}
