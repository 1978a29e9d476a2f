/*
 * One edge's channels, some at a time:
 *
 *   reap        list → (each: reap … unlist) → list … → none left
 *   reconcile   list → each: ids → on_known (from the edge) → leave … → the next ids → … → list …
 */
#include "broker/channels/presence/presence_edges.h"

#include "base/mem.h"
#include "json/read.h"
#include "proto/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { NAMES = 100 /* of store_presence_list */, AGAIN_MS = 1000 };

struct walk;

/* reap: one of the channels. */
struct part {
	struct walk *walk;
	struct blob *channel;
};

/* What is done with one edge. */
struct walk {
	LIST_ENTRY(walk) others;
	struct presence_edges *all;
	uint16_t edge;
	bool is_reaping, has_failed;
	int64_t from; /* reconcile: channels passed over */
	struct part parts[NAMES];
	size_t n, at;        /* at: reconcile: the one that is looked at */
	size_t under_way;    /* reap: channels; reconcile: leaves */
	char after[ID_TEXT]; /* reconcile: of the channel: looked at so far */
	uint8_t *ids;        /* asked about: ID_BYTES each */
	size_t n_ids;
	struct command *asking;
};

/* Memberships of one connection that are being written. */
struct restoring {
	LIST_ENTRY(restoring) others;
	size_t left;
	enum err err;
	store_done_fn *fn;
	void *arg;
};

struct presence_edges {
	struct store *store;
	struct presence *presence;
	struct commands *commands;
	LIST_HEAD(, walk) walks, failed; /* failed: to be begun again */
	struct timer *again;
	LIST_HEAD(, restoring) restoring;
};

static void begin_again(void *arg);
static void on_list(void *arg, enum err e, const struct span *names, size_t n);
static void reap_one(struct part *part);
static void on_reaped(void *arg, enum err e, const struct presence_change *change);
static void on_unlisted(void *arg, enum err e);
static void look(struct walk *w);
static void on_ids(void *arg, enum err e, const struct span *ids, size_t n);
static void on_known(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_left(void *arg, const struct failure *failure);

struct presence_edges *presence_edges_new(struct loop *l, struct store *st,
					  struct presence *p, struct commands *commands)
{
	struct presence_edges *e = xcalloc(1, sizeof *e);

	e->store = st;
	e->again = timer_new(l, begin_again, e);
	e->presence = p;
	e->commands = commands;
	LIST_INIT(&e->walks);
	LIST_INIT(&e->failed);
	LIST_INIT(&e->restoring);
	return e;
}

static void forget_channels(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++)
		blob_unref(w->parts[i].channel);
	w->n = w->at = 0;
}

static void walk_end(struct walk *w)
{
	if (w->asking != NULL)
		command_cancel(w->asking);
	LIST_REMOVE(w, others);
	forget_channels(w);
	free(w->ids);
	free(w);
}

/*
 * The store or the edge has not answered. A reconcile is begun again in a while; a reap by the reaper, which finds the
 * list again.
 */
static void walk_fail(struct walk *w)
{
	struct presence_edges *e = w->all;

	if (w->is_reaping) {
		walk_end(w);
		return;
	}
	forget_channels(w);
	w->from = 0;
	w->has_failed = false;
	LIST_REMOVE(w, others);
	LIST_INSERT_HEAD(&e->failed, w, others);
	timer_after(e->again, AGAIN_MS);
}

void presence_edges_free(struct presence_edges *e)
{
	struct restoring *r;

	if (e == NULL)
		return;
	while (!LIST_EMPTY(&e->walks))
		walk_end(LIST_FIRST(&e->walks));
	while (!LIST_EMPTY(&e->failed))
		walk_end(LIST_FIRST(&e->failed));
	timer_free(e->again);
	while ((r = LIST_FIRST(&e->restoring)) != NULL) {
		LIST_REMOVE(r, others);
		free(r);
	}
	free(e);
}

static void begin_again(void *arg)
{
	struct presence_edges *e = arg;
	struct walk *w;

	while ((w = LIST_FIRST(&e->failed)) != NULL) {
		LIST_REMOVE(w, others);
		LIST_INSERT_HEAD(&e->walks, w, others);
		store_presence_list(e->store, w->edge, 0, on_list, w);
	}
}

static void begin(struct presence_edges *e, uint16_t edge, bool is_reaping)
{
	struct walk *w;

	LIST_FOREACH (w, &e->walks, others)
		if (w->edge == edge && w->is_reaping == is_reaping)
			return;
	LIST_FOREACH (w, &e->failed, others)
		if (w->edge == edge && !is_reaping)
			return;
	w = xcalloc(1, sizeof *w);
	w->all = e;
	w->edge = edge;
	w->is_reaping = is_reaping;
	LIST_INSERT_HEAD(&e->walks, w, others);
	store_presence_list(e->store, edge, 0, on_list, w);
}

void presence_edges_reap(struct presence_edges *e, uint16_t edge)
{
	begin(e, edge, true);
}

void presence_edges_reconcile(struct presence_edges *e, uint16_t edge)
{
	begin(e, edge, false);
}

static void on_list(void *arg, enum err e, const struct span *names, size_t n)
{
	struct walk *w = arg;

	if (e != OK) {
		walk_fail(w);
		return;
	}
	if (n == 0) {
		walk_end(w);
		return;
	}
	w->n = n < NAMES ? n : NAMES;
	w->at = 0;
	for (size_t i = 0; i < w->n; i++)
		w->parts[i] = (struct part){w, blob_new(names[i])};
	if (!w->is_reaping) {
		w->after[0] = '\0';
		look(w);
		return;
	}
	w->under_way = w->n;
	for (size_t i = 0; i < w->n; i++)
		reap_one(&w->parts[i]);
}

/* ---- reap ---- */

static void reap_one(struct part *part)
{
	struct walk *w = part->walk;

	store_presence_reap(w->all->store, blob_span(part->channel), w->edge, on_reaped,
			    part);
}

static void part_ends(struct walk *w)
{
	if (--w->under_way > 0)
		return;
	if (w->has_failed) {
		walk_fail(w);
		return;
	}
	forget_channels(w);
	store_presence_list(w->all->store, w->edge, 0, on_list, w);
}

static void on_reaped(void *arg, enum err e, const struct presence_change *change)
{
	struct part *part = arg;
	struct walk *w = part->walk;

	if (e != OK) {
		w->has_failed = true;
		part_ends(w);
		return;
	}
	presence_left(w->all->presence, blob_span(part->channel), change);
	if (change->more)
		reap_one(part);
	else
		store_presence_unlist(w->all->store, w->edge, blob_span(part->channel),
				      on_unlisted, w);
}

static void on_unlisted(void *arg, enum err e)
{
	struct walk *w = arg;

	w->has_failed = w->has_failed || e != OK;
	part_ends(w);
}

/* ---- reconcile ---- */

/* The next ids of the channel, or of the next one. */
static void look(struct walk *w)
{
	struct store *st = w->all->store;

	if (w->at == w->n) {
		w->from += (int64_t)w->n;
		forget_channels(w);
		store_presence_list(st, w->edge, w->from, on_list, w);
		return;
	}
	store_presence_ids(st, blob_span(w->parts[w->at].channel), w->edge,
			   span_str(w->after), on_ids, w);
}

static void next_channel(struct walk *w)
{
	w->at++;
	w->after[0] = '\0';
	look(w);
}

static void on_ids(void *arg, enum err e, const struct span *ids, size_t n)
{
	struct walk *w = arg;

	if (e != OK) {
		walk_fail(w);
		return;
	}
	if (n == 0) {
		next_channel(w);
		return;
	}
	snprintf(w->after, sizeof w->after, "%.*s", SPAN_ARG(ids[n - 1]));
	w->ids = xrealloc(w->ids, n * ID_BYTES);
	w->n_ids = 0;
	for (size_t i = 0; i < n; i++) {
		struct id id;

		if (id_parse(ids[i], &id) == OK)
			memcpy(w->ids + ID_BYTES * w->n_ids++, id.b, ID_BYTES);
	}
	if (w->n_ids == 0) {
		look(w);
		return;
	}
	w->asking = command_query(w->all->commands, w->edge,
				  span_of(w->ids, w->n_ids * ID_BYTES),
				  blob_span(w->parts[w->at].channel), on_known, w);
	if (w->asking == NULL)
		walk_end(w); /* its link has ended */
}

static void on_known(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct walk *w = arg;

	w->asking = NULL;
	if (e != OK || o->results.len != w->n_ids) {
		walk_fail(w);
		return;
	}
	w->under_way = 1;
	for (size_t i = 0; i < w->n_ids; i++) {
		struct id id;

		if (o->results.data[i] != GATEPOST__OUTCOME__RESULT__GONE)
			continue;
		memcpy(id.b, w->ids + i * ID_BYTES, ID_BYTES);
		w->under_way++;
		presence_leave(w->all->presence, blob_span(w->parts[w->at].channel), &id,
			       on_left, w);
	}
	on_left(w, NULL);
}

static void on_left(void *arg, const struct failure *failure)
{
	struct walk *w = arg;

	w->has_failed = w->has_failed || failure != NULL;
	if (--w->under_way > 0)
		return;
	if (w->has_failed)
		walk_fail(w);
	else
		look(w);
}

/* ---- restore ---- */

/* The user in what others see of the member: unescaped into room, which has as many bytes as json. */
static struct span user_of(struct span json, uint8_t *room)
{
	static const struct json_step step = {{(const uint8_t *)"user", 4}, 0};
	struct json_path path = {&step, 1};
	struct json_value v;
	struct span user;

	if (json_find(json, &path, &v) != OK || v.kind != JSON_IS_STRING ||
	    json_unescape(v.raw, room, json.n, &user) != OK)
		return (struct span){0};
	return user;
}

static void restoring_ends(struct restoring *r)
{
	if (--r->left > 0)
		return;
	LIST_REMOVE(r, others);
	r->fn(r->arg, r->err);
	free(r);
}

static void on_joined(void *arg, const struct failure *failure)
{
	struct restoring *r = arg;

	if (failure != NULL)
		r->err = ERR_DOWN;
	restoring_ends(r);
}

void presence_edges_restore(struct presence_edges *e, const Gatepost__Roster__Row *row,
			    store_done_fn *fn, void *arg)
{
	struct restoring *r = xcalloc(1, sizeof *r);
	struct id id;

	r->fn = fn;
	r->arg = arg;
	r->left = 1;
	LIST_INSERT_HEAD(&e->restoring, r, others);
	memcpy(id.b, row->id.data, ID_BYTES); /* envelope_read has checked its length */
	for (size_t i = 0; i < row->n_memberships; i++) {
		struct span member = span_from(row->memberships[i]->member);
		uint8_t *room = xmalloc(member.n + 1);

		r->left++;
		presence_restore(e->presence, span_from(row->memberships[i]->channel),
				 &id, user_of(member, room), member, on_joined, r);
		free(room);
	}
	restoring_ends(r);
}
