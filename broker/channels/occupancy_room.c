#include "broker/channels/occupancy_room.h"

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/channels.h"

#include <stdio.h>

enum { AGAIN_MS = 1000 }; /* after the store did not answer */

static void on_position(void *arg, const struct failure *f,
			const struct channel_history *h);
static void on_begun(void *arg, enum err e);
static void on_told(void *arg, const char *why);
static void on_deferred(void *arg, enum err e);
static void on_ended(void *arg, enum err e);

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
		occupancy_enqueue(r);
	return !was_stale;
}

/* Write the room as it is; handled: without its event. */
static void write_room(struct room *r, bool handled, store_done_fn *fn)
{
	const struct occupancy_uses *uses = &r->all->uses;
	struct occupancy is = r->is;

	is.is_pending = !handled;
	await(r);
	store_occupancy_write(uses->store, uses->boot, occupancy_name(r), &is, fn, r);
}

static void read_position(struct room *r, const struct config_namespace *ns)
{
	struct read_request q = {.ns = ns, .channel = occupancy_name(r), .until = -1};

	await(r);
	read_channel(r->all->uses.readers, &q, on_position, r);
}

/* The webhook may have gone with the last configuration: then nobody is told. */
static void tell(struct room *r)
{
	struct routes *routes = r->all->uses.routes(r->all->uses.arg);

	r->event = occupancy_event_new(routes, occupancy_name(r), &r->is);
	if (r->event == NULL) {
		r->step = END;
		occupancy_room_advance(r);
		return;
	}
	await(r);
	occupancy_event_invoke(r->event, on_told, r);
}

/* It is occupied now, or vacated. Without a webhook for that nobody is told, but it is written. */
void occupancy_room_change(struct room *r, bool is_occupied)
{
	const struct config_namespace *ns =
		occupancy_namespace(r->all, occupancy_name(r));
	unsigned bit = is_occupied ? CHANNEL_ON_OCCUPIED : CHANNEL_ON_VACATED;

	r->is = (struct occupancy){.is_occupied = is_occupied};
	r->step = END;
	if (occupancy_event_on(ns) & bit) {
		r->is.is_pending = true;
		r->is.time_ms = clock_wall_ms();
		occupancy_event_name(r->is.event);
		r->step = ns->history.size > 0 ? READ : BEGIN;
	}
	occupancy_room_advance(r);
}

static void compare(struct room *r)
{
	bool is_carried = interest_is_carried(r->all->uses.interest, occupancy_name(r));

	if (is_carried && !r->is.is_occupied)
		occupancy_room_change(r, true);
	else if (!is_carried && r->is.is_occupied)
		occupancy_enlist(r, &r->all->absent);
	else if (!r->is.is_occupied)
		occupancy_remove(r);
}

/* Only a shard that is kept has rooms that go on; the keeper calls on_kept or on_lost for those of others. */
void occupancy_room_advance(struct room *r)
{
	const struct occupancies *o = r->all;
	enum keeper_state state = occupancy_keeper_state(o->keeper, r->shard);
	const struct config_namespace *ns;

	if (state == KEEPER_NONE) {
		occupancy_remove(r);
		return;
	}
	if (!occupancy_keeper_has_lease(o->keeper, r->shard) ||
	    (state == KEEPER_LEAVING && r->step != END))
		return;
	switch (r->step) {
	case REST: compare(r); break;
	case READ:
		ns = occupancy_namespace(o, occupancy_name(r));
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
		occupancy_pause(r, AGAIN_MS);
		return;
	}
	snprintf(r->is.epoch, sizeof r->is.epoch, "%.*s", SPAN_ARG(h->position.epoch));
	r->is.offset = h->position.offset;
	r->step = BEGIN;
	occupancy_room_advance(r);
}

/* Was it written? If not: again in a while, or another broker keeps the shard, and goes on. */
static bool is_written(struct room *r, enum err e)
{
	if (!has_answer(r))
		return false;
	if (e == ERR_DENIED)
		occupancy_keeper_denied(r->all->keeper, r->shard);
	else if (e != OK)
		occupancy_pause(r, AGAIN_MS);
	return e == OK;
}

static void on_begun(void *arg, enum err e)
{
	struct room *r = arg;

	if (!is_written(r, e))
		return;
	r->step = TELL;
	occupancy_room_advance(r);
}

static void drop(struct room *r, const char *why)
{
	metric_add(r->all->dropped, 1);
	log_warn_flood("webhook.dropped", B("channel", occupancy_name(r)),
		       S("action", r->is.is_occupied ? "occupied" : "vacated"),
		       I("tries", r->is.tries), S("why", why),
		       S("hint", "fix the function: this event is lost"));
	r->step = END;
	occupancy_room_advance(r);
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
		occupancy_room_advance(r);
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
		occupancy_pause(r, backoff_ms(r->is.tries));
}

static void on_ended(void *arg, enum err e)
{
	struct room *r = arg;

	if (!is_written(r, e))
		return;
	r->is.is_pending = false;
	r->step = REST;
	occupancy_room_advance(r);
}
