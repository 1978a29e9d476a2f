#include "broker/cluster/reaper.h"

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "store/leases.h"

#include <stdlib.h>

enum {
	TICK_MS = 100,
	LIST_MS = 500,              /* between two lists of all edges */
	OWNER_MS = 200,             /* between two checks of an edge that is owned here */
	OTHER_MS = 1000,            /* at another one */
	SURE_MS = 300,              /* a lease must be seen to be over for so long */
	UNTOLD_MS = 10 * 60 * 1000, /* the same, when Redis may have lost rows of it */
	AWAY_MS = 2000,             /* a tick this late, and we were stopped */
	ROWS = 500,                 /* reaped in one step */
};

static const char why_gone[] =
	"Connection Closed Abnormally"; /* of a dead edge's connections */

struct watched {
	uint16_t number; /* the key */
	struct reaper *reaper;
	bool is_listed, is_asking;
	int64_t next_ms;
	int64_t expired_ms; /* when that was seen first; 0: it is not */
	int64_t rows;       /* when its lease expired */
	int64_t pending;    /* disconnects, at the last check */
	bool is_unsure;     /* the store has not replied whether it was reaped */
};

struct reaper {
	struct reaper_uses uses;
	int64_t lease_ms;
	struct timer *timer;
	struct map *edges;
	bool is_stopped, is_listing;
	int64_t list_ms; /* the next */
	int64_t wait_ms; /* until then nothing is reaped */
	int64_t ticked_ms;
	struct metric *reaped, *rows;
};

static void tick(void *arg);
static void on_store_changed(void *arg, bool left_behind);
static void on_list(void *arg, enum err e, const uint16_t *numbers, size_t n);
static void check(struct watched *w);
static void on_checked(void *arg, enum err e, const struct edge_state *s);
static void on_held(struct watched *w, const struct edge_state *s);
static void on_expired(struct watched *w, const struct edge_state *s);
static void reap(struct watched *w);
static void on_reaped(void *arg, enum err e, const struct edge_reaped *got);
static void on_forgotten(void *arg, enum err e);

static int64_t ask_edges(void *arg)
{
	return (int64_t)map_size(((struct reaper *)arg)->edges);
}

static int64_t ask_pending(void *arg)
{
	struct watched *w;
	int64_t n = 0;

	for (size_t at = 0; (w = map_next(((struct reaper *)arg)->edges, &at)) != NULL;)
		n += w->pending;
	return n;
}

static void count(struct reaper *r)
{
	struct metrics *m = r->uses.metrics;

	r->reaped = metric_counter(m, "gatepost_broker_edges_reaped_total", NULL,
				   "Edges whose expired lease this broker noticed first");
	r->rows = metric_counter(m, "gatepost_broker_rows_reaped_total", NULL,
				 "Connections of these edges");
	metric_asked_gauge(m, "gatepost_broker_edges_watched", NULL,
			   "Edges in Redis, live and dead", ask_edges, r);
	metric_asked_gauge(m, "gatepost_broker_disconnects_owed", NULL,
			   "Pending disconnects in the whole cluster; each broker shows "
			   "the same number, up to a second old",
			   ask_pending, r);
}

struct reaper *reaper_new(int64_t lease_ms, const struct reaper_uses *uses)
{
	struct reaper *r = xcalloc(1, sizeof *r);

	r->uses = *uses;
	r->lease_ms = lease_ms;
	r->edges = map_new();
	r->timer = timer_new(uses->loop, tick, r);
	timer_every(r->timer, TICK_MS);
	r->ticked_ms = loop_now(uses->loop);
	reaper_wait(r);
	count(r);
	members_watch(uses->members,
		      &(struct members_watcher){.store_changed = on_store_changed}, r);
	return r;
}

void reaper_free(struct reaper *r)
{
	struct watched *w;

	if (r == NULL)
		return;
	for (size_t at = 0; (w = map_next(r->edges, &at)) != NULL;)
		free(w);
	map_free(r->edges);
	timer_free(r->timer);
	free(r);
}

void reaper_wait(struct reaper *r)
{
	struct watched *w;

	r->wait_ms = loop_now(r->uses.loop) + r->lease_ms;
	for (size_t at = 0; (w = map_next(r->edges, &at)) != NULL;)
		w->expired_ms = 0;
}

/* The store may have lost data: check all edges now, and reap none for a while. */
static void on_store_changed(void *arg, bool left_behind)
{
	struct reaper *r = arg;
	struct watched *w;

	(void)left_behind;
	reaper_wait(r);
	r->list_ms = 0;
	for (size_t at = 0; (w = map_next(r->edges, &at)) != NULL;)
		w->next_ms = 0;
}

void reaper_stop(struct reaper *r)
{
	r->is_stopped = true;
}

/* ---- the list of edges ---- */

static void tick(void *arg)
{
	struct reaper *r = arg;
	int64_t now = loop_now(r->uses.loop);
	struct watched *w;

	if (now - r->ticked_ms > AWAY_MS)
		reaper_wait(r);
	r->ticked_ms = now;
	if (r->is_stopped || !store_is_up(r->uses.store))
		return;
	if (!r->is_listing && now >= r->list_ms) {
		r->is_listing = true;
		r->list_ms = now + LIST_MS;
		store_edges_list(r->uses.store, on_list, r);
	}
	for (size_t at = 0; (w = map_next(r->edges, &at)) != NULL;)
		if (!w->is_asking && now >= w->next_ms)
			check(w);
}

static struct span key(const struct watched *w)
{
	return span_of(&w->number, sizeof w->number);
}

static void record(struct reaper *r, uint16_t number)
{
	struct watched *w = map_find(r->edges, span_of(&number, sizeof number));

	if (w == NULL) {
		w = xcalloc(1, sizeof *w);
		w->number = number;
		w->reaper = r;
		map_put(r->edges, key(w), w);
	}
	w->is_listed = true;
}

static void on_list(void *arg, enum err e, const uint16_t *numbers, size_t n)
{
	struct reaper *r = arg;
	struct watched *w;

	r->is_listing = false;
	if (e != OK)
		return;
	for (size_t at = 0; (w = map_next(r->edges, &at)) != NULL;)
		w->is_listed = false;
	for (size_t i = 0; i < n; i++)
		record(r, numbers[i]);
	for (size_t at = 0; (w = map_next(r->edges, &at)) != NULL;)
		if (!w->is_listed && !w->is_asking) {
			map_remove(r->edges, key(w));
			free(w);
		}
}

/* ---- one edge ---- */

static void check(struct watched *w)
{
	struct reaper_uses *uses = &w->reaper->uses;
	bool home = members_is_owner(uses->members, w->number);

	w->is_asking = true;
	w->next_ms = loop_now(uses->loop) + (home ? OWNER_MS : OTHER_MS);
	store_edge_get(uses->store, w->number, on_checked, w);
}

static void on_checked(void *arg, enum err e, const struct edge_state *s)
{
	struct watched *w = arg;
	struct reaper_uses *uses = &w->reaper->uses;

	w->is_asking = false;
	if (e != OK || w->reaper->is_stopped)
		return;
	w->pending = s->pending;
	if (s->given_up)
		fences_add(uses->fences, w->number, s->boot);
	if (s->due && !uses->due(uses->arg, w->number))
		w->next_ms = 0;
	if (s->held)
		on_held(w, s);
	else
		on_expired(w, s);
}

static void on_held(struct watched *w, const struct edge_state *s)
{
	w->expired_ms = 0;
	w->is_unsure = false;
	resync_check(w->reaper->uses.resync, w->number, s->synced);
}

/*
 * Redis has lost all its rows, and the edge has not sent them again, so its disconnects
 * are unknown: if it is alive, it is worth waiting for. Not after a restart: then the
 * rows are there, but for the last of them, and the cluster id has another ending only.
 */
static bool has_unsent(const struct watched *w, const struct edge_state *s)
{
	const char *cluster = members_cluster(w->reaper->uses.members);
	size_t n = strcspn(cluster, ".");

	return n > 0 && (s->synced.n < n || memcmp(s->synced.p, cluster, n) != 0);
}

/* Was the lease not renewed for so long? And not only since this process was suspended, or the store down? */
static bool is_sure(struct watched *w, int64_t ms)
{
	struct reaper *r = w->reaper;
	int64_t now = loop_now(r->uses.loop);

	if (now - r->ticked_ms > AWAY_MS || now < r->wait_ms ||
	    edges_find(r->uses.edges, w->number) != NULL) {
		w->expired_ms = 0;
		return false;
	}
	if (w->expired_ms == 0) {
		w->expired_ms = now;
		w->next_ms = now + SURE_MS;
	}
	return now - w->expired_ms >= ms;
}

static void on_expired(struct watched *w, const struct edge_state *s)
{
	const struct reaper_uses *uses = &w->reaper->uses;
	bool untold = has_unsent(w, s);
	int64_t lease_ms = w->reaper->lease_ms;

	if (s->rows > 0 && is_sure(w, untold ? lease_ms : SURE_MS)) {
		w->rows = s->rows;
		reap(w);
	} else if (s->rows == 0 && s->present && is_sure(w, SURE_MS)) {
		uses->present(uses->arg, w->number);
	} else if (s->rows == 0 && s->pending == 0 &&
		   is_sure(w, untold ? UNTOLD_MS : SURE_MS)) {
		w->is_asking = true;
		store_edge_forget(w->reaper->uses.store, w->number, on_forgotten, w);
	}
}

static void reap(struct watched *w)
{
	w->is_asking = true;
	store_edge_reap(w->reaper->uses.store, w->number, ROWS, why_gone, on_reaped, w);
}

/* Once for each death in the whole cluster, however many brokers give it up, and in however many steps. */
static void tell(const struct watched *w)
{
	log_warn("edge.expired", I("number", w->number), I("connections", w->rows),
		 S("why", "its lease was not renewed"));
	metric_add(w->reaper->reaped, 1);
}

static void on_reaped(void *arg, enum err e, const struct edge_reaped *got)
{
	struct watched *w = arg;

	w->is_asking = false;
	w->next_ms = 0; /* pending disconnects are claimed at the next check */
	if (e != OK) {
		/* Some of it may be done, and then the next one is not the first. */
		w->is_unsure = w->is_unsure || e != ERR_DENIED;
		return;
	}
	if (got->first || w->is_unsure)
		tell(w);
	w->is_unsure = false;
	fences_add(w->reaper->uses.fences, w->number, got->boot);
	metric_add(w->reaper->rows, got->n);
	if (got->left > 0)
		reap(w);
}

static void on_forgotten(void *arg, enum err e)
{
	struct watched *w = arg;

	w->is_asking = false;
	w->next_ms = loop_now(w->reaper->uses.loop) + OTHER_MS;
	if (e == OK)
		log_info("edge.released", I("number", w->number));
}
