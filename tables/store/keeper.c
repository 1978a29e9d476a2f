/*
 * Each second: on_tick → hold the lease → on_held
 *   claim_dropped   keys of tables and indexes that nobody can name any more
 *   list_tables     → look_at each table: fill what is being changed, remove what has expired
 *
 * A round ends when all of it has been answered; the next one begins with the next tick.
 */
#include "tables/store/keeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "tables/store/command.h"
#include "tables/store/fill.h"
#include "tables/store/items.h"
#include "tables/store/reply.h"
#include "tables/store/scripts.h"
#include "tables/value/value_json.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	TICK_MS = 1000,
	LEASE_MS = 5000,
	LOAD_EACH = 10,        /* ticks: between two looks at the definition of a table */
	CREATION_MS = 60000,   /* what is being created for longer is removed */
	EXPIRED_AT_ONCE = 100, /* of each shard and round */
};

/* A table that is being filled. */
struct filling {
	LIST_ENTRY(filling) next;
	struct keeper *keeper;
	struct fill *fill;
	char id[TABLE_ID + 1];
};

struct keeper {
	struct tables_store *store;
	struct metric *expired;
	struct timer *tick;
	struct arena *arena; /* of a round; NULL: none goes on */
	size_t waits;        /* for answers of this round */
	unsigned ticks;
	LIST_HEAD(, filling) fillings;
	struct table **tables; /* of this round: one reference each */
	size_t n_tables;
};

static void on_tick(void *arg);
static void on_held(void *arg, enum err e, const redisReply *reply);
static void on_dropped(void *arg, enum err e, const redisReply *reply);
static void on_names(void *arg, enum err e, const struct span *names, size_t n);
static void on_table(void *arg, enum err e, struct table *t);
static void look_at(struct keeper *k, struct table *t);
static void on_due(void *arg, enum err e, const redisReply *reply);
static void on_item(void *arg, enum err e, const struct item *item);
static void on_removed(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now);

/* ---- life ---- */

struct keeper *keeper_new(struct tables_store *st, struct metric *expired)
{
	struct keeper *k = xcalloc(1, sizeof *k);

	k->store = st;
	k->expired = expired;
	LIST_INIT(&k->fillings);
	k->tick = timer_new(st->loop, on_tick, k);
	timer_every(k->tick, TICK_MS);
	return k;
}

static void free_round(struct keeper *k)
{
	for (size_t i = 0; i < k->n_tables; i++)
		table_unref(k->tables[i]);
	free(k->tables);
	k->tables = NULL;
	k->n_tables = 0;
	arena_free(k->arena);
	k->arena = NULL;
}

void keeper_free(struct keeper *k)
{
	struct filling *f;

	if (k == NULL)
		return;
	while ((f = LIST_FIRST(&k->fillings)) != NULL) {
		LIST_REMOVE(f, next);
		fill_free(f->fill);
		free(f);
	}
	free_round(k);
	timer_free(k->tick);
	free(k);
}

static void done(struct keeper *k)
{
	if (--k->waits == 0)
		free_round(k);
}

static void on_tick(void *arg)
{
	struct keeper *k = arg;
	struct command c;

	if (k->arena != NULL || !tables_store_is_up(k->store))
		return;
	k->arena = arena_new();
	k->waits = 1;
	k->ticks++;
	c = command_new(k->arena, k->store, 4);
	command_key(&c, table_key_keeper(k->store->prefix, command_room(&c)));
	command_text(&c, k->store->boot);
	command_number(&c, LEASE_MS);
	command_eval(&c, &script_keeper_hold, on_held, k);
}

static void on_held(void *arg, enum err e, const redisReply *reply)
{
	struct keeper *k = arg;
	struct command c;

	if (e == OK && span_is(reply_span(reply), "ok")) {
		k->waits += 2;
		c = command_new(k->arena, k->store, 4);
		command_key(&c, table_key_dropped(k->store->prefix, command_room(&c)));
		command_number(&c, CREATION_MS);
		command_eval(&c, &script_dropped_claim, on_dropped, k);
		catalog_list(k->store, k->arena, on_names, k);
	}
	done(k);
}

/* ---- what was dropped ---- */

static void on_unlinked(void *arg, enum err e, const redisReply *reply)
{
	(void)e; /* not removed: it stays in dropped, since the next commands fail as well */
	(void)reply;
	done(arg);
}

static void unlink_shard(struct keeper *k, const char *id, unsigned shard,
			 uint32_t first_index, uint32_t indexes, bool all)
{
	struct tables_store *st = k->store;
	struct command c = command_new(k->arena, st, 8);

	command_text(&c, "UNLINK");
	if (all) {
		command_span(&c,
			     table_key_items(st->prefix, id, shard, command_room(&c)));
		command_span(&c,
			     table_key_order(st->prefix, id, shard, command_room(&c)));
		command_span(&c,
			     table_key_expiry(st->prefix, id, shard, command_room(&c)));
		command_span(&c,
			     table_key_locks(st->prefix, id, shard, command_room(&c)));
	}
	for (uint32_t i = first_index; i < indexes; i++)
		command_span(&c,
			     table_key_index(st->prefix, id, shard, i, command_room(&c)));
	k->waits++;
	command_call(&c, on_unlinked, k);
}

/* field: an id, or "id:number" of an index; value: how many numbers of indexes the table has had */
static void remove_dropped(struct keeper *k, struct span field, struct span value)
{
	char *id = arena_printf(k->arena, "%.*s", SPAN_ARG(field));
	char *count = arena_printf(k->arena, "%.*s", SPAN_ARG(value));
	char *number = strchr(id, ':');
	uint32_t first = 0, last = (uint32_t)strtoul(count, NULL, 10);
	bool is_table = number == NULL;
	struct command c = command_new(k->arena, k->store, 3);

	if (number != NULL) {
		*number = '\0';
		first = (uint32_t)strtoul(number + 1, NULL, 10);
		last = first + 1;
	}
	for (unsigned s = 0; s < SHARDS; s++)
		unlink_shard(k, id, s, first, last, is_table);
	command_text(&c, "HDEL"); /* behind them on the same connection */
	command_span(&c, table_key_dropped(k->store->prefix, command_room(&c)));
	command_span(&c, arena_copy(k->arena, field));
	k->waits++;
	command_call(&c, on_unlinked, k);
}

static void on_dropped(void *arg, enum err e, const redisReply *reply)
{
	struct keeper *k = arg;

	for (size_t i = 0; e == OK && i + 1 < reply->elements; i += 2)
		remove_dropped(k, reply_span(reply->element[i]),
			       reply_span(reply->element[i + 1]));
	done(k);
}

/* ---- tables ---- */

static void on_names(void *arg, enum err e, const struct span *names, size_t n)
{
	struct keeper *k = arg;

	if (e == OK && n > 0) {
		k->tables = xcalloc(n, sizeof(struct table *));
		for (size_t i = 0; i < n; i++) {
			struct table *t = catalog_find(k->store, names[i]);

			k->waits++;
			if (t != NULL && k->ticks % LOAD_EACH != 0)
				on_table(k, OK, t);
			else
				catalog_load(k->store, k->arena, names[i], on_table, k);
		}
	}
	done(k);
}

static void on_table(void *arg, enum err e, struct table *t)
{
	struct keeper *k = arg;

	if (e == OK) {
		k->tables[k->n_tables++] = table_ref(t);
		look_at(k, t);
	}
	done(k);
}

static void on_filled(void *arg, enum err e)
{
	struct filling *f = arg;

	(void)e; /* what is not done is tried again in the next rounds */
	LIST_REMOVE(f, next);
	free(f);
}

void keeper_fill(struct keeper *k, struct table *t)
{
	struct filling *f;

	if (!table_is_changing(t))
		return;
	LIST_FOREACH (f, &k->fillings, next)
		if (strcmp(f->id, t->id) == 0)
			return;
	f = xcalloc(1, sizeof *f);
	f->keeper = k;
	memcpy(f->id, t->id, sizeof f->id);
	LIST_INSERT_HEAD(&k->fillings, f, next);
	f->fill = fill_new(k->store, t, on_filled, f);
}

/* ---- what has expired ---- */

struct due {
	struct keeper *keeper;
	const struct table *table;
	unsigned shard;
};

struct expired {
	struct keeper *keeper;
	struct item_place place;
	struct item_write write;
};

static void look_at(struct keeper *k, struct table *t)
{
	struct tables_store *st = k->store;

	keeper_fill(k, t);
	for (unsigned s = 0; t->ttl.n > 0 && !t->ttl_is_new && s < SHARDS; s++) {
		struct due *d = arena_alloc(k->arena, sizeof *d);
		struct command c = command_new(k->arena, st, 8);

		*d = (struct due){k, t, s};
		command_text(&c, "ZRANGEBYSCORE");
		command_span(&c,
			     table_key_expiry(st->prefix, t->id, s, command_room(&c)));
		command_text(&c, "-inf");
		command_number(&c, clock_wall_ms() / 1000);
		command_text(&c, "LIMIT");
		command_text(&c, "0");
		command_number(&c, EXPIRED_AT_ONCE);
		k->waits++;
		command_call(&c, on_due, d);
	}
}

static void on_due(void *arg, enum err e, const redisReply *reply)
{
	struct due *d = arg;
	struct keeper *k = d->keeper;

	for (size_t i = 0; e == OK && i < reply->elements; i++) {
		struct expired *x = arena_calloc(k->arena, 1, sizeof *x);

		x->keeper = k;
		x->place = (struct item_place){
			d->table, d->shard,
			arena_copy(k->arena, reply_span(reply->element[i]))};
		k->waits++;
		items_get(k->store, k->arena, &x->place, on_item, x);
	}
	done(k);
}

/* All its entries go with it; one that a write has changed meanwhile stays. */
static bool compute_removal(struct expired *x, const struct item *item)
{
	struct arena *a = x->keeper->arena;
	const struct table *t = x->place.table;
	struct item_change *changes = arena_alloc(a, t->n_indexes * sizeof *changes);
	struct value_map map = {0};

	x->write = (struct item_write){
		.place = x->place, .kind = ITEM_DELETE, .old = *item, .changes = changes};
	if (item->is_there && value_read_stored(a, arena_copy(a, item->json), &map) != OK)
		return false;
	for (size_t i = 0; item->is_there && i < t->n_indexes; i++) {
		struct item_change *c = &changes[x->write.n_changes];

		c->index = &t->indexes[i];
		c->is_added = false;
		x->write.n_changes +=
			place_entry(a, &t->indexes[i], &map, x->place.key, &c->entry);
	}
	return true;
}

static void on_item(void *arg, enum err e, const struct item *item)
{
	struct expired *x = arg;
	struct keeper *k = x->keeper;

	/* An item that is not there has left its expiry behind: that goes. */
	if (e == OK && (!item->is_there || !item_is_visible(x->place.table, item)) &&
	    compute_removal(x, item)) {
		k->waits++;
		items_write(k->store, k->arena,
			    &(struct items_write){.parts = &x->write, .n = 1}, on_removed,
			    x);
	}
	done(k);
}

static void on_removed(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now)
{
	struct expired *x = arg;

	(void)e;
	(void)part;
	(void)now;
	if (outcome == ITEMS_WRITTEN && x->write.old.is_there)
		metric_add(x->keeper->expired, 1);
	done(x->keeper);
}
