#include "broker/channels/occupancy/occupancy_keeper.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

enum { TICK_MS = 250, HOLD_MS = 1000, LEASE_MS = 5000 };

struct shard {
	struct occupancy_keeper *keeper;
	uint16_t number;
	enum keeper_state state;
	bool is_asking; /* for the lease */
	bool is_reading,
		is_read_again;      /* again: what is being read is of an earlier lease */
	int64_t next_ms;            /* when the lease is asked for again */
	int64_t asked_ms, until_ms; /* clock_ms */
	size_t under_way;
};

struct occupancy_keeper {
	struct keeper_uses uses;
	struct keeper_callbacks on;
	void *arg;
	struct timer *timer;
	bool is_stopped;
	struct shard shards[OCCUPANCY_SHARDS];
};

static void tick(void *arg);
static void on_store_changed(void *arg, bool left_behind);
static void on_held(void *arg, enum err e, bool is_new);
static void on_rows(void *arg, enum err e, const struct occupancy_row *rows, size_t n,
		    uint64_t next);
static void on_released(void *arg, enum err e);

struct occupancy_keeper *occupancy_keeper_new(const struct keeper_uses *uses,
					      const struct keeper_callbacks *on,
					      void *arg)
{
	struct occupancy_keeper *k = xcalloc(1, sizeof *k);

	k->uses = *uses;
	k->on = *on;
	k->arg = arg;
	for (int i = 0; i < OCCUPANCY_SHARDS; i++)
		k->shards[i] = (struct shard){.keeper = k, .number = (uint16_t)i};
	k->timer = timer_new(uses->loop, tick, k);
	timer_every(k->timer, TICK_MS);
	members_watch(uses->members,
		      &(struct members_watcher){.store_changed = on_store_changed}, k);
	return k;
}

void occupancy_keeper_free(struct occupancy_keeper *k)
{
	if (k == NULL)
		return;
	timer_free(k->timer);
	free(k);
}

enum keeper_state occupancy_keeper_state(const struct occupancy_keeper *k, uint16_t shard)
{
	return k->shards[shard].state;
}

bool occupancy_keeper_has_lease(const struct occupancy_keeper *k, uint16_t shard)
{
	const struct shard *s = &k->shards[shard];

	return (s->state == KEEPER_KEPT || s->state == KEEPER_LEAVING) &&
	       clock_ms() < s->until_ms;
}

void occupancy_keeper_begin(struct occupancy_keeper *k, uint16_t shard)
{
	k->shards[shard].under_way++;
}

void occupancy_keeper_finish(struct occupancy_keeper *k, uint16_t shard)
{
	k->shards[shard].under_way--;
}

/* ---- the lease ---- */

static void lose(struct shard *s)
{
	struct occupancy_keeper *k = s->keeper;

	if (s->state == KEEPER_NONE)
		return;
	s->state = KEEPER_NONE;
	k->on.lost(k->arg, s->number);
}

void occupancy_keeper_denied(struct occupancy_keeper *k, uint16_t shard)
{
	lose(&k->shards[shard]);
}

/* Whoever has the lease reads the shard again. */
static void on_store_changed(void *arg, bool left_behind)
{
	struct occupancy_keeper *k = arg;

	(void)left_behind;
	for (size_t i = 0; i < OCCUPANCY_SHARDS; i++) {
		lose(&k->shards[i]);
		k->shards[i].next_ms = 0;
	}
}

static bool is_wanted(const struct shard *s)
{
	const struct occupancy_keeper *k = s->keeper;

	return !k->is_stopped && k->on.is_needed(k->arg) &&
	       members_is_owner(k->uses.members, s->number);
}

static void hold(struct shard *s)
{
	const struct keeper_uses *uses = &s->keeper->uses;

	s->is_asking = true;
	s->asked_ms = clock_ms();
	s->next_ms = loop_now(uses->loop) + HOLD_MS;
	store_occupancy_hold(uses->store, s->number, uses->boot, LEASE_MS, on_held, s);
}

static void release(struct shard *s)
{
	const struct keeper_uses *uses = &s->keeper->uses;

	lose(s);
	store_occupancy_release(uses->store, s->number, uses->boot, on_released, NULL);
}

/* If it was not released, the lease ends by itself. */
static void on_released(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

static void choose_state(struct shard *s, bool wanted)
{
	struct occupancy_keeper *k = s->keeper;

	if (wanted && s->state == KEEPER_LEAVING) {
		s->state = KEEPER_KEPT;
		k->on.kept(k->arg, s->number);
	} else if (!wanted && s->state == KEEPER_KEPT) {
		s->state = KEEPER_LEAVING;
	}
	if (!wanted && !s->is_asking &&
	    (s->state == KEEPER_LOADING ||
	     (s->state == KEEPER_LEAVING && s->under_way == 0)))
		release(s);
}

static void check(struct shard *s)
{
	const struct keeper_uses *uses = &s->keeper->uses;
	bool wanted = is_wanted(s);

	if (clock_ms() >= s->until_ms)
		lose(s);
	choose_state(s, wanted);
	if ((wanted || s->state == KEEPER_LEAVING) && !s->is_asking &&
	    loop_now(uses->loop) >= s->next_ms && store_is_up(uses->store))
		hold(s);
}

static void tick(void *arg)
{
	struct occupancy_keeper *k = arg;

	for (size_t i = 0; i < OCCUPANCY_SHARDS; i++)
		check(&k->shards[i]);
}

void occupancy_keeper_stop(struct occupancy_keeper *k)
{
	k->is_stopped = true;
	tick(k);
}

bool occupancy_keeper_is_any(const struct occupancy_keeper *k)
{
	for (size_t i = 0; i < OCCUPANCY_SHARDS; i++)
		if (k->shards[i].state != KEEPER_NONE)
			return true;
	return false;
}

/* ---- loading ---- */

static void read_on(struct shard *s, uint64_t cursor)
{
	s->is_reading = true;
	store_occupancy_read(s->keeper->uses.store, s->number, cursor, on_rows, s);
}

static void load(struct shard *s)
{
	s->state = KEEPER_LOADING;
	s->is_read_again = s->is_reading;
	if (!s->is_reading)
		read_on(s, 0);
}

static void on_held(void *arg, enum err e, bool is_new)
{
	struct shard *s = arg;

	s->is_asking = false;
	if (e == ERR_DENIED)
		lose(s);
	if (e != OK)
		return;
	if (is_new || clock_ms() >= s->until_ms)
		lose(s);
	s->until_ms = s->asked_ms + LEASE_MS;
	if (s->state == KEEPER_NONE)
		load(s);
}

static void on_rows(void *arg, enum err e, const struct occupancy_row *rows, size_t n,
		    uint64_t next)
{
	struct shard *s = arg;
	struct occupancy_keeper *k = s->keeper;

	s->is_reading = false;
	if (s->state != KEEPER_LOADING)
		return;
	if (s->is_read_again) {
		s->is_read_again = false;
		read_on(s, 0);
		return;
	}
	if (e != OK) { /* the lease is asked for again, and then it is read again */
		lose(s);
		return;
	}
	for (size_t i = 0; i < n; i++)
		k->on.row(k->arg, &rows[i]);
	if (next != 0) {
		read_on(s, next);
		return;
	}
	s->state = KEEPER_KEPT;
	k->on.kept(k->arg, s->number);
}
