#include "tables/store/page.h"

#include "base/log.h"
#include "tables/store/command.h"
#include "tables/store/reply.h"
#include "tables/store/scripts.h"

#include <stdlib.h>
#include <string.h>

enum {
	SMALL_ITEM = 1024
}; /* bytes of a blob; item_put.lua and items_write.lua note larger ones */

struct reading {
	struct tables_store *store;
	struct arena *arena;
	struct page_conf conf;
	struct page page;
	page_fn *fn;
	void *arg;
	enum err e;           /* of the first of two commands */
	size_t largest;       /* bytes of a blob of this shard, at most */
	size_t n;             /* how many items were asked for */
	struct span *entries; /* their keys; NULL: nobody needs them */
};

static void end(struct reading *r, enum err e)
{
	r->fn(r->arg, e, &r->page);
}

static enum err check_generation(const struct reading *r, const redisReply *generation)
{
	return item_generation_is_known(r->conf.table, reply_span(generation))
		       ? OK
		       : ERR_AGAIN;
}

static enum err log_damaged(const struct reading *r)
{
	log_warn_flood("tables.damaged", B("table", r->conf.table->name),
		       S("hint", "an item in Redis is not what a broker wrote: delete it "
				 "there, or the table"));
	return ERR_MALFORMED;
}

static struct span items_key(const struct reading *r, struct command *c)
{
	return table_key_items(r->store->prefix, r->conf.table->id, r->conf.shard,
			       command_room(c));
}

static struct span order_key(const struct reading *r, struct command *c)
{
	const struct page_conf *conf = &r->conf;

	if (conf->index == NULL)
		return table_key_order(r->store->prefix, conf->table->id, conf->shard,
				       command_room(c));
	return table_key_index(r->store->prefix, conf->table->id, conf->shard,
			       conf->index->number, command_room(c));
}

/* The command, and behind its key the bounds. */
static const char *range_command(const struct page_conf *c)
{
	return c->is_backward ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX";
}

static void add_bounds(struct command *w, const struct page_conf *c)
{
	command_span(w, c->is_backward ? c->high : c->low);
	command_span(w, c->is_backward ? c->low : c->high);
}

/* ---- with a script ---- */

/* Where in the reply of range_read.lua what is; the entries come last. */
enum reply_part { GENERATION, IS_LAST, BEHIND, COUNT, BLOBS, ENTRIES };

/* The first of blobs, which go on behind it. p NULL: they are damaged. */
static struct span next_blob(struct span *blobs)
{
	const uint8_t *p = blobs->p, *feed;
	size_t n;

	if (blobs->n < ITEM_HEAD)
		return (struct span){0};
	feed = memchr(p + ITEM_HEAD, '\n', blobs->n - ITEM_HEAD);
	n = feed != NULL ? (size_t)(feed - p) : blobs->n;
	*blobs = feed != NULL ? span_of(feed + 1, blobs->n - n - 1) : (struct span){0};
	return span_of(p, n);
}

/* False: they are damaged. */
static bool copy_rows(struct reading *r, const redisReply *reply)
{
	struct page *p = &r->page;
	struct span blobs = arena_copy(r->arena, reply_span(reply->element[BLOBS]));
	size_t n = (size_t)reply->element[COUNT]->integer;
	bool has_entries = reply->elements == ENTRIES + n;

	if (n > PAGE_MOST || (r->conf.needs_entries && !has_entries))
		return false;
	p->rows = arena_alloc(r->arena, n * sizeof *p->rows);
	for (size_t i = 0; i < n; i++) {
		struct range_row *row = &p->rows[p->n];
		struct span blob = next_blob(&blobs);

		if (blob.n == ITEM_HEAD) /* the item of this entry is gone */
			continue;
		*row = (struct range_row){.shard = r->conf.shard};
		if (!item_read(blob, &row->item))
			return false;
		if (r->conf.needs_entries)
			row->entry = arena_copy(r->arena,
						reply_span(reply->element[ENTRIES + i]));
		p->n++;
	}
	return true;
}

static enum err take_rows(struct reading *r, const redisReply *reply)
{
	struct span behind;
	enum err e;

	if (reply->type == REDIS_REPLY_NIL)
		return ERR_AGAIN; /* the table is deleted */
	if (reply->elements < ENTRIES)
		return ERR_MALFORMED;
	e = check_generation(r, reply->element[GENERATION]);
	if (e != OK)
		return e;
	if (!copy_rows(r, reply))
		return log_damaged(r);
	behind = reply_span(reply->element[BEHIND]);
	if (behind.n > 0)
		r->page.behind = arena_copy(r->arena, behind);
	r->page.is_last = reply->element[IS_LAST]->integer == 1;
	return OK;
}

static void on_rows(void *arg, enum err e, const redisReply *reply)
{
	struct reading *r = arg;

	end(r, e == OK ? take_rows(r, reply) : e);
}

static void read_at_once(struct reading *r)
{
	const struct page_conf *c = &r->conf;
	struct command w = command_new(r->arena, r->store, 9);

	command_key(&w, items_key(r, &w));
	command_key(&w, order_key(r, &w));
	command_text(&w, range_command(c));
	add_bounds(&w, c);
	command_number(&w, (int64_t)c->most);
	command_number(&w, (int64_t)c->bytes);
	command_number(&w, c->index != NULL);
	command_number(&w, c->needs_entries);
	command_eval(&w, &script_range_read, on_rows, r);
}

/* ---- with plain commands ---- */

static size_t bytes_of(const redisReply *blobs)
{
	size_t n = 0;

	for (size_t i = 1; i < blobs->elements; i++)
		n += blobs->element[i]->len;
	return n;
}

/* generation, and a blob for each entry */
static enum err take_blobs(struct reading *r, const redisReply *reply)
{
	struct page *p = &r->page;
	uint8_t *to = arena_alloc(r->arena, bytes_of(reply));
	enum err e = check_generation(r, reply->element[0]);

	if (e != OK)
		return e;
	p->rows = arena_alloc(r->arena, r->n * sizeof *p->rows);
	for (size_t i = 0; i < r->n; i++) {
		struct range_row *row = &p->rows[p->n];
		struct span blob = reply_span(reply->element[1 + i]);

		if (blob.p == NULL) /* it was deleted in between */
			continue;
		memcpy(to, blob.p, blob.n);
		*row = (struct range_row){.shard = r->conf.shard};
		if (!item_read(span_of(to, blob.n), &row->item))
			return log_damaged(r);
		if (r->entries != NULL)
			row->entry = r->entries[i];
		to += blob.n;
		p->n++;
	}
	return OK;
}

static void on_blobs(void *arg, enum err e, const redisReply *reply)
{
	struct reading *r = arg;

	if (e == OK && reply->elements != 1 + r->n)
		e = ERR_MALFORMED;
	end(r, e == OK ? take_blobs(r, reply) : e);
}

/* order: the keys, which are copied only if they are needed later */
static void read_blobs(struct reading *r, const redisReply *order)
{
	size_t n = order->elements;
	struct command w = command_new(r->arena, r->store, (int)n + 3);

	r->n = n;
	if (r->conf.needs_entries)
		r->entries = arena_alloc(r->arena, n * sizeof *r->entries);
	command_text(&w, "HMGET");
	command_span(&w, items_key(r, &w));
	command_text(&w, "");
	for (size_t i = 0; i < n; i++) {
		struct span key = reply_span(order->element[i]);

		command_span(&w, key);
		if (r->entries != NULL)
			r->entries[i] = arena_copy(r->arena, key);
	}
	r->page.behind = arena_copy(r->arena, reply_span(order->element[n - 1]));
	r->page.is_last = n < r->conf.most;
	command_call(&w, on_blobs, r);
}

static void on_order(void *arg, enum err e, const redisReply *reply)
{
	struct reading *r = arg;

	if (r->e != OK)
		e = r->e;
	if (e != OK) {
		end(r, e);
	} else if (reply->elements == 0) {
		r->page.is_last = true;
		end(r, OK);
	} else if (reply->elements * r->largest > r->conf.bytes) {
		read_at_once(r);
	} else {
		read_blobs(r, reply);
	}
}

/* generation, and the length of the largest blob unless all are small */
static void on_head(void *arg, enum err e, const redisReply *reply)
{
	struct reading *r = arg;

	if (e == OK && reply->elements != 2)
		e = ERR_MALFORMED;
	if (e == OK)
		e = check_generation(r, reply->element[0]);
	r->e = e;
	r->largest = SMALL_ITEM;
	if (e == OK && reply->element[1]->type == REDIS_REPLY_STRING)
		r->largest = strtoul(reply->element[1]->str, NULL, 10);
}

static void read_in_steps(struct reading *r)
{
	struct page_conf *conf = &r->conf;
	struct command head = command_new(r->arena, r->store, 4);
	struct command order = command_new(r->arena, r->store, 7);

	if (conf->most > conf->bytes / SMALL_ITEM)
		conf->most = conf->bytes / SMALL_ITEM;
	command_text(&head, "HMGET");
	command_span(&head, items_key(r, &head));
	command_text(&head, "");
	command_text(&head, "largest");
	command_call(&head, on_head, r);
	command_text(&order, range_command(conf));
	command_span(&order, order_key(r, &order));
	add_bounds(&order, conf);
	command_text(&order, "LIMIT");
	command_number(&order, 0);
	command_number(&order, (int64_t)conf->most);
	command_call(&order, on_order, r);
}

void page_read(struct tables_store *st, struct arena *a, const struct page_conf *conf,
	       page_fn *fn, void *arg)
{
	struct reading *r = arena_calloc(a, 1, sizeof *r);

	*r = (struct reading){.store = st,
			      .arena = a,
			      .conf = *conf,
			      .page.behind = conf->behind,
			      .fn = fn,
			      .arg = arg};
	if (conf->is_long && conf->index == NULL)
		read_in_steps(r);
	else
		read_at_once(r);
}
