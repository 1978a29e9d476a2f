#include "tables/store/items.h"

#include "base/clock.h"
#include "base/log.h"
#include "json/write.h"
#include "tables/store/command.h"
#include "tables/store/reply.h"
#include "tables/store/scripts.h"
#include "tables/value/value_json.h"

#include <stdlib.h>

enum { EXPIRED_YEARS = 5, YEAR_S = 31556952 };

static const struct item no_item = {.is_there = false};

/* ---- blobs ---- */

static void write_be(uint8_t *to, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

static uint64_t read_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

struct blob *item_blob(struct tables_store *st, const struct value_map *item, size_t size,
		       int64_t expiry)
{
	uint8_t head[ITEM_HEAD];
	struct json_out o;

	write_be(head, tables_store_version(st), 8);
	write_be(head + 8, (uint64_t)expiry, 4);
	write_be(head + 12, size, 4);
	json_out_init(&o, ITEM_HEAD + 2 * size + 64);
	json_out_span(&o, span_of(head, sizeof head));
	value_write_map(&o, item);
	return json_out_end(&o);
}

bool item_read(struct span blob, struct item *out)
{
	if (blob.n < ITEM_HEAD + 2)
		return false;
	*out = (struct item){
		.is_there = true,
		.version = read_be(blob.p, 8),
		.expiry = (int64_t)read_be(blob.p + 8, 4),
		.size = (size_t)read_be(blob.p + 12, 4),
		.json = span_of(blob.p + ITEM_HEAD, blob.n - ITEM_HEAD),
	};
	return true;
}

int64_t item_expiry(const struct table *t, const struct value_map *item)
{
	const struct value *v = t->ttl.n > 0 ? value_find(item, t->ttl) : NULL;
	int64_t now = clock_wall_ms() / 1000, at;
	char text[16], *end;

	if (v == NULL || v->type != VALUE_N || v->bytes.n >= sizeof text)
		return 0;
	memcpy(text, v->bytes.p, v->bytes.n);
	text[v->bytes.n] = '\0';
	at = strtoll(text, &end, 10); /* a fraction is cut off */
	if (at <= now - (int64_t)EXPIRED_YEARS * YEAR_S || at > UINT32_MAX)
		return 0;
	return at;
}

bool item_is_visible(const struct table *t, const struct item *item)
{
	if (!item->is_there || item->expiry == 0 || t->ttl.n == 0 || t->ttl_is_new)
		return item->is_there;
	return item->expiry * 1000 > clock_wall_ms();
}

/* ---- read ---- */

struct question {
	struct tables_store *store;
	const struct item_place *places;
	size_t n;
	struct item *items;
	struct arena *arena;
	items_get_fn *got;
	items_read_fn *read;
	items_write_fn *written;
	items_lock_fn *locked;
	items_token_fn *token;
	void *arg;
};

static struct question *question_new(struct tables_store *st, struct arena *a, void *arg)
{
	struct question *q = arena_calloc(a, 1, sizeof *q);

	q->store = st;
	q->arena = a;
	q->arg = arg;
	return q;
}

static void log_damaged(const struct item_place *p)
{
	log_warn_flood("tables.damaged", B("table", p->table->name),
		       S("hint", "an item in Redis is not what a broker wrote: delete it "
				 "there, or the table"));
}

bool item_generation_is_known(const struct table *t, struct span generation)
{
	char text[24];

	if (generation.n == 0 || generation.n >= sizeof text)
		return false;
	memcpy(text, generation.p, generation.n);
	text[generation.n] = '\0';
	return strtoull(text, NULL, 10) <= t->generation;
}

/* generation, blob */
static enum err read_pair(const struct item_place *p, const redisReply *generation,
			  const redisReply *blob, struct item *out)
{
	*out = no_item;
	if (!item_generation_is_known(p->table, reply_span(generation)))
		return ERR_AGAIN;
	if (blob->type == REDIS_REPLY_NIL || item_read(reply_span(blob), out))
		return OK;
	log_damaged(p);
	return ERR_MALFORMED;
}

static void on_get(void *arg, enum err e, const redisReply *reply)
{
	struct question *q = arg;
	struct item item = no_item;

	if (e == OK && reply->elements != 2)
		e = ERR_MALFORMED;
	if (e == OK)
		e = read_pair(q->places, reply->element[0], reply->element[1], &item);
	q->got(q->arg, e, &item);
}

void items_get(struct tables_store *st, struct arena *a, const struct item_place *place,
	       items_get_fn *fn, void *arg)
{
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, 4);

	q->got = fn;
	q->places = place;
	command_text(&c, "HMGET");
	command_span(&c, table_key_items(st->prefix, place->table->id, place->shard,
					 command_room(&c)));
	command_text(&c, "");
	command_span(&c, place->key);
	command_call(&c, on_get, q);
}

static void on_read(void *arg, enum err e, const redisReply *reply)
{
	struct question *q = arg;

	if (e == OK && reply->elements != 2 * q->n)
		e = ERR_MALFORMED;
	for (size_t i = 0; e == OK && i < q->n; i++)
		e = read_pair(&q->places[i], reply->element[2 * i],
			      reply->element[2 * i + 1], &q->items[i]);
	q->read(q->arg, e, q->items, q->n);
}

void items_read(struct tables_store *st, struct arena *a, const struct item_place *places,
		size_t n, items_read_fn *fn, void *arg)
{
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, (int)(2 * n));

	q->read = fn;
	q->places = places;
	q->n = n;
	q->items = arena_calloc(a, n, sizeof *q->items);
	for (size_t i = 0; i < n; i++)
		command_key(&c, table_key_items(st->prefix, places[i].table->id,
						places[i].shard, command_room(&c)));
	for (size_t i = 0; i < n; i++)
		command_span(&c, places[i].key);
	command_eval(&c, &script_items_read, on_read, q);
}

/* ---- write ---- */

static enum items_outcome outcome_of(struct span word)
{
	static const struct {
		const char *word;
		enum items_outcome outcome;
	} words[] = {
		{"ok", ITEMS_WRITTEN},    {"changed", ITEMS_CHANGED},
		{"locked", ITEMS_LOCKED}, {"stale", ITEMS_STALE},
		{"done", ITEMS_DONE},     {"other", ITEMS_OTHER},
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (span_is(word, words[i].word))
			return words[i].outcome;
	return ITEMS_FAILED;
}

static void on_written(void *arg, enum err e, const redisReply *reply)
{
	struct question *q = arg;
	enum items_outcome outcome = ITEMS_FAILED;
	struct item now = no_item;
	size_t part = 0;

	if (e == OK && reply->type != REDIS_REPLY_ARRAY) /* of a cheap one */
		outcome = outcome_of(reply_span(reply));
	else if (e == OK && reply->elements > 0)
		outcome = outcome_of(reply_span(reply->element[0]));
	if (outcome == ITEMS_CHANGED && reply->elements >= 2)
		part = (size_t)reply->element[1]->integer;
	if (outcome == ITEMS_CHANGED && reply->elements == 3 &&
	    reply->element[2]->type == REDIS_REPLY_STRING &&
	    !item_read(reply_span(reply->element[2]), &now))
		outcome = ITEMS_FAILED;
	if (e == OK && outcome == ITEMS_FAILED)
		e = ERR_MALFORMED;
	q->written(q->arg, outcome, e, part, &now);
}

static void add_keys(struct command *c, const struct item_write *w)
{
	const char *prefix = c->store->prefix, *id = w->place.table->id;
	unsigned s = w->place.shard;

	command_key(c, table_key_items(prefix, id, s, command_room(c)));
	command_key(c, table_key_order(prefix, id, s, command_room(c)));
	command_key(c, table_key_expiry(prefix, id, s, command_room(c)));
	command_key(c, table_key_locks(prefix, id, s, command_room(c)));
	for (size_t i = 0; i < w->n_changes; i++)
		command_key(c, table_key_index(prefix, id, s, w->changes[i].index->number,
					       command_room(c)));
}

static void add_part(struct command *c, const struct item_write *w)
{
	static const char *const kinds[] = {"check", "put", "delete"};
	uint8_t *version = arena_alloc(c->arena, 8);

	write_be(version, w->old.version, 8);
	command_number(c, (int64_t)w->place.table->generation);
	command_span(c, w->place.key);
	command_text(c, kinds[w->kind]);
	command_span(c, span_of(version, w->old.is_there ? 8 : 0));
	command_span(c, w->blob);
	command_number(c, w->expiry);
	command_number(c, (int64_t)w->n_changes);
	for (size_t i = 0; i < w->n_changes; i++) {
		command_text(c, w->changes[i].is_added ? "+" : "-");
		command_span(c, w->changes[i].entry);
	}
}

void items_write(struct tables_store *st, struct arena *a, const struct items_write *w,
		 items_write_fn *fn, void *arg)
{
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, (int)(16 + 12 * w->n));

	q->written = fn;
	if (w->token != NULL)
		command_key(&c, table_key_token(st->prefix, w->token, command_room(&c)));
	for (size_t i = 0; i < w->n; i++)
		add_keys(&c, &w->parts[i]);
	command_text(&c, w->owner ? w->owner : "");
	command_span(&c, w->token != NULL ? w->request : (struct span){0});
	for (size_t i = 0; i < w->n; i++)
		add_part(&c, &w->parts[i]);
	command_eval(&c, &script_items_write, on_written, q);
}

/* Those of a script that writes one item: items, order, locks. */
static void add_shard_keys(struct command *c, const struct item_place *place)
{
	const char *prefix = c->store->prefix, *id = place->table->id;

	command_key(c, table_key_items(prefix, id, place->shard, command_room(c)));
	command_key(c, table_key_order(prefix, id, place->shard, command_room(c)));
	command_key(c, table_key_locks(prefix, id, place->shard, command_room(c)));
}

void items_put(struct tables_store *st, struct arena *a, const struct item_place *place,
	       struct span blob, int64_t expiry, items_write_fn *fn, void *arg)
{
	const struct table *t = place->table;
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, 8);

	q->written = fn;
	add_shard_keys(&c, place);
	if (t->ttl.n > 0)
		command_key(&c, table_key_expiry(st->prefix, t->id, place->shard,
						 command_room(&c)));
	command_number(&c, (int64_t)t->generation);
	command_span(&c, place->key);
	command_span(&c, blob);
	if (t->ttl.n > 0)
		command_number(&c, expiry);
	command_eval(&c, &script_item_put, on_written, q);
}

void items_delete(struct tables_store *st, struct arena *a,
		  const struct item_place *place, items_write_fn *fn, void *arg)
{
	const struct table *t = place->table;
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, 6);

	q->written = fn;
	add_shard_keys(&c, place);
	command_key(&c,
		    table_key_expiry(st->prefix, t->id, place->shard, command_room(&c)));
	command_number(&c, (int64_t)t->generation);
	command_span(&c, place->key);
	command_eval(&c, &script_item_delete, on_written, q);
}

/* ---- locks and tokens ---- */

static void on_locked(void *arg, enum err e, const redisReply *reply)
{
	struct question *q = arg;

	if (e == OK && !span_is(reply_span(reply), "ok"))
		e = ERR_CLAIMED;
	q->locked(q->arg, e);
}

void items_lock(struct tables_store *st, struct arena *a, const struct item_place *place,
		const char *owner, items_lock_fn *fn, void *arg)
{
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, 4);

	q->locked = fn;
	command_key(&c, table_key_locks(st->prefix, place->table->id, place->shard,
					command_room(&c)));
	command_span(&c, place->key);
	command_text(&c, owner);
	command_number(&c, ITEM_LOCK_MS);
	command_eval(&c, &script_item_lock, on_locked, q);
}

static void on_unlocked(void *arg, enum err e, const redisReply *reply)
{
	(void)arg;
	(void)e;
	(void)reply;
}

void items_unlock(struct tables_store *st, struct arena *a,
		  const struct item_place *place)
{
	struct command c = command_new(a, st, 3);

	command_text(&c, "HDEL");
	command_span(&c, table_key_locks(st->prefix, place->table->id, place->shard,
					 command_room(&c)));
	command_span(&c, place->key);
	command_call(&c, on_unlocked, st);
}

static void on_token(void *arg, enum err e, const redisReply *reply)
{
	struct question *q = arg;

	q->token(q->arg, e, e == OK ? reply_span(reply) : (struct span){0});
}

void items_token(struct tables_store *st, struct arena *a, const char *token,
		 items_token_fn *fn, void *arg)
{
	struct question *q = question_new(st, a, arg);
	struct command c = command_new(a, st, 2);

	q->token = fn;
	command_text(&c, "GET");
	command_span(&c, table_key_token(st->prefix, token, command_room(&c)));
	command_call(&c, on_token, q);
}
