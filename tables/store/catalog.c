#include "tables/store/catalog.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "tables/store/command.h"
#include "tables/store/reply.h"
#include "tables/store/scripts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 10 }; /* of each shard */

/* ---- what was seen ---- */

struct table *catalog_find(const struct tables_store *st, struct span name)
{
	return map_find(st->tables, name);
}

void catalog_forget(struct tables_store *st, struct span name)
{
	table_unref(map_remove(st->tables, name));
}

void catalog_forget_all(struct tables_store *st)
{
	struct table *t;
	size_t at = 0;

	while ((t = map_next(st->tables, &at)) != NULL) {
		map_remove(st->tables, t->name);
		table_unref(t);
	}
}

/* Takes t. */
static void remember(struct tables_store *st, struct table *t)
{
	catalog_forget(st, t->name); /* first: the map borrows the name of its value */
	map_put(st->tables, t->name, t);
}

/* "id:generation:" */
static struct span stamp(struct arena *a, const struct table *t, uint64_t generation)
{
	return span_str(arena_printf(a, "%s:%" PRIu64 ":", t->id, generation));
}

static struct span definition(struct arena *a, const struct table *t)
{
	struct blob *json = schema_write(t);
	struct span head = stamp(a, t, t->generation);
	uint8_t *all = arena_alloc(a, head.n + json->n);
	size_t n = head.n + json->n;

	memcpy(all, head.p, head.n);
	memcpy(all + head.n, json->p, json->n);
	blob_unref(json);
	return span_of(all, n);
}

/* ---- load ---- */

struct load {
	struct tables_store *store;
	struct span name;
	catalog_table_fn *fn;
	void *arg;
};

/* What is behind "id:generation:". */
static struct table *read_definition(struct span text)
{
	const uint8_t *json = text.n > 0 ? memchr(text.p, '{', text.n) : NULL;

	return json == NULL ? NULL
			    : schema_read_stored(
				      span_of(json, (size_t)(text.p + text.n - json)));
}

static void on_load(void *arg, enum err e, const redisReply *reply)
{
	struct load *l = arg;
	struct table *t = NULL;

	if (e == OK && reply->type == REDIS_REPLY_NIL)
		e = ERR_NOTFOUND;
	if (e == OK) {
		t = read_definition(reply_span(reply));
		if (t == NULL) {
			log_warn_flood("tables.unreadable", B("table", l->name),
				       S("hint", "its definition in Redis is damaged, or "
						 "of a later version: delete the table"));
			e = ERR_MALFORMED;
		}
	}
	if (t != NULL)
		remember(l->store, t);
	else if (e == ERR_NOTFOUND)
		catalog_forget(l->store, l->name);
	l->fn(l->arg, e, t);
}

void catalog_load(struct tables_store *st, struct arena *a, struct span name,
		  catalog_table_fn *fn, void *arg)
{
	struct load *l = arena_calloc(a, 1, sizeof *l);
	struct command c = command_new(a, st, 3);

	*l = (struct load){st, name, fn, arg};
	command_text(&c, "HGET");
	command_span(&c, table_key_tables(st->prefix, command_room(&c)));
	command_span(&c, name);
	command_call(&c, on_load, l);
}

/* ---- create, change, delete ---- */

struct change {
	struct tables_store *store;
	struct arena *arena;
	struct table *table;
	const struct table_index *dropped;
	unsigned waits; /* for so many shards */
	enum err e;
	catalog_done_fn *fn;
	void *arg;
};

static struct change *change_new(struct tables_store *st, struct arena *a,
				 struct table *t, catalog_done_fn *fn, void *arg)
{
	struct change *c = arena_calloc(a, 1, sizeof *c);

	*c = (struct change){.store = st, .arena = a, .table = t, .fn = fn, .arg = arg};
	return c;
}

static enum err word_of(const redisReply *reply)
{
	struct span word = reply_span(reply);

	if (span_is(word, "ok"))
		return OK;
	if (span_is(word, "gone"))
		return ERR_NOTFOUND;
	return span_is(word, "taken") || span_is(word, "changed") ? ERR_CLAIMED
								  : ERR_MALFORMED;
}

static void on_created(void *arg, enum err e, const redisReply *reply)
{
	struct change *c = arg;

	if (e == OK)
		e = word_of(reply);
	if (e == OK)
		remember(c->store, table_ref(c->table));
	c->fn(c->arg, e == ERR_NOTFOUND ? ERR_BUSY : e);
}

/* All shards know the id: it may have a name. */
static void enter(struct change *c)
{
	struct command w = command_new(c->arena, c->store, 8);

	command_key(&w, table_key_tables(c->store->prefix, command_room(&w)));
	command_key(&w, table_key_dropped(c->store->prefix, command_room(&w)));
	command_span(&w, c->table->name);
	command_span(&w, definition(c->arena, c->table));
	command_text(&w, c->table->id);
	command_eval(&w, &script_table_create, on_created, c);
}

static void on_marked(void *arg, enum err e, const redisReply *reply)
{
	struct change *c = arg;

	(void)reply;
	if (e != OK)
		c->e = e;
	if (--c->waits > 0)
		return;
	if (c->e == OK)
		enter(c);
	else
		c->fn(c->arg, c->e);
}

void catalog_create(struct tables_store *st, struct arena *a, struct table *t,
		    catalog_done_fn *fn, void *arg)
{
	struct change *c = change_new(st, a, t, fn, arg);
	struct command w = command_new(a, st, 4);

	c->waits = 1 + SHARDS;
	command_text(&w, "HSET");
	command_span(&w, table_key_dropped(st->prefix, command_room(&w)));
	command_text(&w, t->id);
	command_text(&w,
		     arena_printf(a, "%" PRId64 ":%u", clock_wall_ms(), t->next_index));
	command_call(&w, on_marked, c);
	for (unsigned s = 0; s < SHARDS; s++) {
		w = command_new(a, st, 4);
		command_text(&w, "HSET");
		command_span(&w, table_key_items(st->prefix, t->id, s, command_room(&w)));
		command_text(&w, "");
		command_number(&w, (int64_t)t->generation);
		command_call(&w, on_marked, c);
	}
}

static void on_shard(void *arg, enum err e, const redisReply *reply)
{
	struct change *c = arg;

	(void)reply; /* "gone": somebody deletes the table */
	if (e != OK)
		c->e = e;
	if (--c->waits == 0)
		c->fn(c->arg, c->e);
}

/* Also when the change itself is old: after a crash of who made it. */
static void mark_shards(struct change *c)
{
	c->waits = SHARDS;
	for (unsigned s = 0; s < SHARDS; s++) {
		struct command w = command_new(c->arena, c->store, 4);

		command_key(&w, table_key_items(c->store->prefix, c->table->id, s,
						command_room(&w)));
		command_number(&w, (int64_t)c->table->generation);
		command_eval(&w, &script_table_mark, on_shard, c);
	}
}

void catalog_mark(struct tables_store *st, struct arena *a, struct table *t,
		  catalog_done_fn *fn, void *arg)
{
	mark_shards(change_new(st, a, t, fn, arg));
}

static void on_changed(void *arg, enum err e, const redisReply *reply)
{
	struct change *c = arg;

	if (e == OK)
		e = word_of(reply);
	if (e != OK) {
		catalog_forget(c->store, c->table->name);
		c->fn(c->arg, e);
		return;
	}
	remember(c->store, table_ref(c->table));
	mark_shards(c);
}

void catalog_change(struct tables_store *st, struct arena *a, struct table *next,
		    const struct table_index *dropped, catalog_done_fn *fn, void *arg)
{
	struct change *c = change_new(st, a, next, fn, arg);
	struct command w = command_new(a, st, 8);

	command_key(&w, table_key_tables(st->prefix, command_room(&w)));
	command_key(&w, table_key_dropped(st->prefix, command_room(&w)));
	command_span(&w, next->name);
	command_span(&w, stamp(a, next, next->generation - 1));
	command_span(&w, definition(a, next));
	if (dropped != NULL) {
		command_text(&w, arena_printf(a, "%s:%u", next->id, dropped->number));
		command_text(&w, "0:0");
	}
	command_eval(&w, &script_table_change, on_changed, c);
}

/* ---- delete ---- */

static void on_removed(void *arg, enum err e, const redisReply *reply)
{
	struct change *c = arg;

	(void)reply;
	if (e != OK)
		c->e = e;
	if (--c->waits == 0)
		c->fn(c->arg, c->e);
}

static void on_deleted(void *arg, enum err e, const redisReply *reply)
{
	struct change *c = arg;

	if (e == OK)
		e = word_of(reply);
	catalog_forget(c->store, c->table->name);
	if (e != OK) {
		c->fn(c->arg, e);
		return;
	}
	/* Without the generation, every write of those who still know the table is refused. The
	 * rest is the keeper's. */
	c->waits = SHARDS;
	for (unsigned s = 0; s < SHARDS; s++) {
		struct command w = command_new(c->arena, c->store, 3);

		command_text(&w, "UNLINK");
		command_span(&w, table_key_items(c->store->prefix, c->table->id, s,
						 command_room(&w)));
		command_span(&w, table_key_order(c->store->prefix, c->table->id, s,
						 command_room(&w)));
		command_call(&w, on_removed, c);
	}
}

void catalog_delete(struct tables_store *st, struct arena *a, struct table *t,
		    catalog_done_fn *fn, void *arg)
{
	struct change *c = change_new(st, a, t, fn, arg);
	struct command w = command_new(a, st, 8);

	command_key(&w, table_key_tables(st->prefix, command_room(&w)));
	command_key(&w, table_key_dropped(st->prefix, command_room(&w)));
	command_span(&w, t->name);
	command_span(&w, stamp(a, t, t->generation));
	command_text(&w, "");
	command_text(&w, t->id);
	command_text(&w, arena_printf(a, "0:%u", t->next_index));
	command_eval(&w, &script_table_change, on_deleted, c);
}

/* ---- list ---- */

struct list {
	struct arena *arena;
	catalog_names_fn *fn;
	void *arg;
};

static int by_name(const void *a, const void *b)
{
	return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static void on_list(void *arg, enum err e, const redisReply *reply)
{
	struct list *l = arg;
	struct span *names;

	if (e != OK) {
		l->fn(l->arg, e, NULL, 0);
		return;
	}
	names = arena_alloc(l->arena, reply->elements * sizeof *names);
	for (size_t i = 0; i < reply->elements; i++)
		names[i] = arena_copy(l->arena, reply_span(reply->element[i]));
	if (reply->elements > 0)
		qsort(names, reply->elements, sizeof *names, by_name);
	l->fn(l->arg, OK, names, reply->elements);
}

void catalog_list(struct tables_store *st, struct arena *a, catalog_names_fn *fn,
		  void *arg)
{
	struct list *l = arena_alloc(a, sizeof *l);
	struct command c = command_new(a, st, 2);

	*l = (struct list){a, fn, arg};
	command_text(&c, "HKEYS");
	command_span(&c, table_key_tables(st->prefix, command_room(&c)));
	command_call(&c, on_list, l);
}

/* ---- size ---- */

struct size {
	unsigned waits;
	enum err e;
	int64_t items, sampled, bytes;
	catalog_size_fn *fn;
	void *arg;
};

static void on_size(void *arg, enum err e, const redisReply *reply)
{
	struct size *z = arg;

	if (e == OK && reply->elements == 3) {
		z->items += reply->element[0]->integer;
		z->sampled += reply->element[1]->integer;
		z->bytes += reply->element[2]->integer;
	} else {
		z->e = e == OK ? ERR_MALFORMED : e;
	}
	if (--z->waits == 0)
		z->fn(z->arg, z->e, z->items,
		      z->sampled > 0 ? z->bytes * z->items / z->sampled : 0);
}

void catalog_size(struct tables_store *st, struct arena *a, const struct table *t,
		  const struct table_index *index, catalog_size_fn *fn, void *arg)
{
	struct size *z = arena_calloc(a, 1, sizeof *z);

	z->fn = fn;
	z->arg = arg;
	z->waits = SHARDS;
	for (unsigned s = 0; s < SHARDS; s++) {
		struct command c = command_new(a, st, 4);
		char *order = command_room(&c);

		command_key(&c, table_key_items(st->prefix, t->id, s, command_room(&c)));
		command_key(&c, table_key_order(st->prefix, t->id, s, order));
		command_key(&c, index == NULL ? span_str(order)
					      : table_key_index(st->prefix, t->id, s,
								index->number,
								command_room(&c)));
		command_number(&c, SAMPLES);
		command_eval(&c, &script_table_size, on_size, z);
	}
}
