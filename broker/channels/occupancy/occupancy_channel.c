#include "broker/channels/occupancy/occupancy_channel.h"

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

static void await(struct tracked *t)
{
	t->is_busy = true;
	t->all->n_busy++;
	occupancy_keeper_begin(t->all->keeper, t->shard);
}

/* Does the answer count? Otherwise it was of an earlier time in which this broker kept the shard. */
static bool has_answer(struct tracked *t)
{
	bool was_stale = t->is_stale;

	t->is_busy = t->is_stale = false;
	t->all->n_busy--;
	occupancy_keeper_finish(t->all->keeper, t->shard);
	timer_after(t->all->soon, 0);
	if (was_stale)
		occupancy_enqueue(t);
	return !was_stale;
}

/* Write what it is; handled: without its event. */
static void write_state(struct tracked *t, bool handled, store_done_fn *fn)
{
	const struct occupancy_uses *uses = &t->all->uses;
	struct occupancy is = t->is;

	is.is_pending = !handled;
	await(t);
	store_occupancy_write(uses->store, uses->boot, occupancy_name(t), &is, fn, t);
}

static void read_position(struct tracked *t, const struct config_namespace *ns)
{
	struct read_request q = {.ns = ns, .channel = occupancy_name(t), .until = -1};

	await(t);
	read_channel(t->all->uses.readers, &q, on_position, t);
}

/* The webhook may have gone with the last configuration: then nobody is told. */
static void tell(struct tracked *t)
{
	struct routes *routes = t->all->uses.routes(t->all->uses.arg);

	t->event = occupancy_event_new(routes, occupancy_name(t), &t->is);
	if (t->event == NULL) {
		t->step = END;
		occupancy_channel_advance(t);
		return;
	}
	await(t);
	occupancy_event_invoke(t->event, on_told, t);
}

/* It is occupied now, or vacated. Without a webhook for that nobody is told, but it is written. */
void occupancy_channel_change(struct tracked *t, bool is_occupied)
{
	const struct config_namespace *ns =
		occupancy_namespace(t->all, occupancy_name(t));
	unsigned bit = is_occupied ? CHANNEL_ON_OCCUPIED : CHANNEL_ON_VACATED;

	t->is = (struct occupancy){.is_occupied = is_occupied};
	t->step = END;
	if (occupancy_event_on(ns) & bit) {
		t->is.is_pending = true;
		t->is.time_ms = clock_wall_ms();
		occupancy_event_name(t->is.event);
		t->step = ns->history.size > 0 ? READ : BEGIN;
	}
	occupancy_channel_advance(t);
}

static void compare(struct tracked *t)
{
	bool is_carried = interest_is_carried(t->all->uses.interest, occupancy_name(t));

	if (is_carried && !t->is.is_occupied)
		occupancy_channel_change(t, true);
	else if (!is_carried && t->is.is_occupied)
		occupancy_enlist(t, &t->all->absent);
	else if (!t->is.is_occupied)
		occupancy_remove(t);
}

/* Only channels of a kept shard go on; the keeper calls on_kept or on_lost for the others later. */
void occupancy_channel_advance(struct tracked *t)
{
	const struct occupancies *o = t->all;
	enum keeper_state state = occupancy_keeper_state(o->keeper, t->shard);
	const struct config_namespace *ns;

	if (state == KEEPER_NONE) {
		occupancy_remove(t);
		return;
	}
	if (!occupancy_keeper_has_lease(o->keeper, t->shard) ||
	    (state == KEEPER_LEAVING && t->step != END))
		return;
	switch (t->step) {
	case REST: compare(t); break;
	case READ:
		ns = occupancy_namespace(o, occupancy_name(t));
		if (ns != NULL && ns->history.size > 0) {
			read_position(t, ns);
			break;
		}
		t->step = BEGIN;
		write_state(t, false, on_begun);
		break;
	case BEGIN: write_state(t, false, on_begun); break;
	case TELL: tell(t); break;
	case END: write_state(t, true, on_ended); break;
	}
}

static void on_position(void *arg, const struct failure *f,
			const struct channel_history *h)
{
	struct tracked *t = arg;

	if (!has_answer(t))
		return;
	if (f != NULL) {
		occupancy_pause(t, AGAIN_MS);
		return;
	}
	snprintf(t->is.epoch, sizeof t->is.epoch, "%.*s", SPAN_ARG(h->position.epoch));
	t->is.offset = h->position.offset;
	t->step = BEGIN;
	occupancy_channel_advance(t);
}

/* Was it written? If not: again in a while, or another broker keeps the shard, and goes on. */
static bool is_written(struct tracked *t, enum err e)
{
	if (!has_answer(t))
		return false;
	if (e == ERR_DENIED)
		occupancy_keeper_denied(t->all->keeper, t->shard);
	else if (e != OK)
		occupancy_pause(t, AGAIN_MS);
	return e == OK;
}

static void on_begun(void *arg, enum err e)
{
	struct tracked *t = arg;

	if (!is_written(t, e))
		return;
	t->step = TELL;
	occupancy_channel_advance(t);
}

static void drop(struct tracked *t, const char *why)
{
	metric_add(t->all->dropped, 1);
	log_warn_flood("webhook.dropped", B("channel", occupancy_name(t)),
		       S("action", t->is.is_occupied ? "occupied" : "vacated"),
		       I("tries", t->is.tries), S("why", why),
		       S("hint", "fix the function: this event is lost"));
	t->step = END;
	occupancy_channel_advance(t);
}

static void on_told(void *arg, const char *why)
{
	struct tracked *t = arg;
	struct occupancies *o = t->all;
	bool counts = has_answer(t);

	occupancy_event_free(t->event);
	t->event = NULL;
	metric_add(why == NULL ? o->events[t->is.is_occupied] : o->failed, counts);
	if (!counts)
		return;
	if (why == NULL) {
		t->step = END;
		occupancy_channel_advance(t);
	} else if (++t->is.tries >= o->uses.tries) {
		drop(t, why);
	} else {
		write_state(t, false, on_deferred);
	}
}

/* If the count was not written, a broker that goes on here tries once more. */
static void on_deferred(void *arg, enum err e)
{
	struct tracked *t = arg;

	if (!has_answer(t))
		return;
	if (e == ERR_DENIED)
		occupancy_keeper_denied(t->all->keeper, t->shard);
	else
		occupancy_pause(t, backoff_ms(t->is.tries));
}

static void on_ended(void *arg, enum err e)
{
	struct tracked *t = arg;

	if (!is_written(t, e))
		return;
	t->is.is_pending = false;
	t->step = REST;
	occupancy_channel_advance(t);
}
