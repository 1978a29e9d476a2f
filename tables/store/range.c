#include "tables/store/range.h"

#include "base/log.h"
#include "tables/store/command.h"
#include "tables/store/reply.h"
#include "tables/store/scripts.h"

#include <assert.h>

enum {
	PAGE_MOST = 1000,     /* items of a shard at a time */
	BYTES_MOST = 1 << 20, /* of a shard at a time */
	BYTES_LEAST = 64 * 1024,
};

/* What is known of one shard. */
struct page {
	struct range *range;
	unsigned shard;
	bool is_last; /* nothing is behind it */
	bool waits;
	struct range_row *rows;
	size_t n, at;
	struct span behind; /* go on here; empty: at the beginning */
};

struct range {
	struct tables_store *store;
	struct arena *arena;
	struct range_conf conf;
	struct page pages[SHARDS];
	unsigned n;
	unsigned waits;
	enum err e;
	range_fn *fn;
	void *arg;
};

struct span range_behind(struct arena *a, struct span k)
{
	struct span copy = arena_copy(a, k);
	uint8_t *p = (uint8_t *)(uintptr_t)copy.p;

	while (copy.n > 0 && p[copy.n - 1] == 0xff)
		copy.n--;
	if (copy.n > 0)
		p[copy.n - 1]++;
	return copy;
}

struct range *range_new(struct tables_store *st, struct arena *a,
			const struct range_conf *conf)
{
	struct range *r = arena_calloc(a, 1, sizeof *r);

	assert(conf->first_shard <= conf->last_shard && conf->last_shard < SHARDS);
	r->store = st;
	r->arena = a;
	r->conf = *conf;
	for (unsigned s = conf->first_shard; s <= conf->last_shard; s++) {
		struct page *p = &r->pages[r->n];

		if (conf->behind.n > 0 && !conf->is_merged && s < conf->behind_shard)
			continue;
		*p = (struct page){.range = r, .shard = s};
		if (conf->behind.n > 0 && (conf->is_merged || s == conf->behind_shard))
			p->behind = conf->behind;
		r->n++;
	}
	return r;
}

/* Merging compares them. */
static bool needs_entries(const struct range *r)
{
	return r->conf.is_merged || r->conf.needs_entries;
}

static bool is_empty(const struct page *p)
{
	return p->at == p->n;
}

/* A shard whose next item has to be known first: of merged shards each, else the first that is not over. */
static struct page *missing(struct range *r, struct page *behind)
{
	for (unsigned i = behind ? (unsigned)(behind - r->pages) + 1 : 0; i < r->n; i++) {
		struct page *p = &r->pages[i];

		if (is_empty(p) && !p->is_last)
			return p;
		if (!r->conf.is_merged && !is_empty(p))
			return NULL;
	}
	return NULL;
}

bool range_is_over(const struct range *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (!is_empty(&r->pages[i]) || !r->pages[i].is_last)
			return false;
	return true;
}

static struct page *next_page(struct range *r)
{
	struct page *best = NULL;

	for (unsigned i = 0; i < r->n; i++) {
		struct page *p = &r->pages[i];
		int order;

		if (is_empty(p) && !p->is_last)
			return NULL;
		if (is_empty(p))
			continue;
		if (!r->conf.is_merged)
			return p;
		if (best == NULL) {
			best = p;
			continue;
		}
		order = span_compare(p->rows[p->at].entry, best->rows[best->at].entry);
		if (r->conf.is_backward ? order > 0 : order < 0)
			best = p;
	}
	return best;
}

bool range_take(struct range *r, struct range_row *out)
{
	struct page *p = next_page(r);

	if (p == NULL)
		return false;
	*out = p->rows[p->at++];
	return true;
}

/* ---- reading ---- */

/* Where in the reply of range_read.lua what is; the entries come last. */
enum reply_part { GENERATION, IS_LAST, BEHIND, COUNT, BLOBS, ENTRIES };

/* The first of blobs, which go on behind it. p NULL: they are damaged. */
static struct span next_blob(struct span *blobs)
{
	const uint8_t *p = blobs->p, *end;
	size_t n;

	if (blobs->n < ITEM_HEAD)
		return (struct span){0};
	end = memchr(p + ITEM_HEAD, '\n', blobs->n - ITEM_HEAD);
	n = end != NULL ? (size_t)(end - p) : blobs->n;
	*blobs = end != NULL ? span_of(end + 1, blobs->n - n - 1) : (struct span){0};
	return span_of(p, n);
}

/* False: they are damaged. */
static bool copy_rows(struct page *p, const redisReply *reply)
{
	struct arena *a = p->range->arena;
	struct span blobs = arena_copy(a, reply_span(reply->element[BLOBS]));
	size_t n = (size_t)reply->element[COUNT]->integer;
	bool has_entries = reply->elements == ENTRIES + n;

	if (n > PAGE_MOST || (needs_entries(p->range) && !has_entries))
		return false;
	p->rows = arena_alloc(a, n * sizeof *p->rows);
	p->n = 0;
	p->at = 0;
	for (size_t i = 0; i < n; i++) {
		struct range_row *row = &p->rows[p->n];
		struct span blob = next_blob(&blobs);

		if (blob.n == ITEM_HEAD) /* the item of this entry is gone */
			continue;
		*row = (struct range_row){.shard = p->shard};
		if (!item_read(blob, &row->item))
			return false;
		if (has_entries)
			row->entry =
				arena_copy(a, reply_span(reply->element[ENTRIES + i]));
		p->n++;
	}
	if (reply_span(reply->element[BEHIND]).n > 0)
		p->behind = arena_copy(a, reply_span(reply->element[BEHIND]));
	return true;
}

static enum err read_page(struct page *p, const redisReply *reply)
{
	const struct table *t = p->range->conf.table;

	if (reply->type == REDIS_REPLY_NIL)
		return ERR_AGAIN; /* it is deleted */
	if (reply->elements < ENTRIES)
		return ERR_MALFORMED;
	if (!item_generation_is_known(t, reply_span(reply->element[GENERATION])))
		return ERR_AGAIN;
	if (copy_rows(p, reply)) {
		p->is_last = reply->element[IS_LAST]->integer == 1;
		return OK;
	}
	log_warn_flood("tables.damaged", B("table", t->name),
		       S("hint", "an item in Redis is not what a broker wrote: delete it "
				 "there, or the table"));
	return ERR_MALFORMED;
}

static void on_page(void *arg, enum err e, const redisReply *reply)
{
	struct page *p = arg;
	struct range *r = p->range;

	p->waits = false;
	if (e == OK)
		e = read_page(p, reply);
	if (e != OK)
		r->e = e;
	if (--r->waits == 0)
		r->fn(r->arg, r->e);
}

/* As ZRANGEBYLEX has it: "[…" with it, "(…" without it, "-" and "+" for the ends. */
static struct span bound(struct arena *a, char mark, struct span k)
{
	uint8_t *p = arena_alloc(a, k.n + 1);

	p[0] = (uint8_t)mark;
	memcpy(p + 1, k.p, k.n);
	return span_of(p, k.n + 1);
}

static struct span low_bound(const struct page *p)
{
	const struct range *r = p->range;
	const struct range_bounds *b = &r->conf.bounds;

	if (p->behind.n > 0 && !r->conf.is_backward &&
	    span_compare(p->behind, b->from) >= 0)
		return bound(r->arena, '(', p->behind);
	if (b->from.n == 0)
		return span_str("-");
	return bound(r->arena, b->from_is_out ? '(' : '[', b->from);
}

static struct span high_bound(const struct page *p)
{
	const struct range *r = p->range;
	const struct range_bounds *b = &r->conf.bounds;

	if (p->behind.n > 0 && r->conf.is_backward &&
	    (b->to.n == 0 || span_compare(p->behind, b->to) < 0))
		return bound(r->arena, '(', p->behind);
	if (b->to.n == 0)
		return span_str("+");
	return bound(r->arena, '(', b->to);
}

/* How much of each shard at a time: what is expected of it, and some more. */
static size_t share(size_t all, unsigned shards, size_t least, size_t most)
{
	size_t n = all / shards * 5 / 4 + least;

	return n < most ? n : most;
}

/* at_once: how many shards are read now */
static void read_shard(struct page *p, unsigned at_once)
{
	struct range *r = p->range;
	struct tables_store *st = r->store;
	const struct range_conf *c = &r->conf;
	struct command w = command_new(r->arena, st, 9);
	struct span low = low_bound(p), high = high_bound(p);

	p->waits = true;
	r->waits++;
	command_key(&w, table_key_items(st->prefix, c->table->id, p->shard,
					command_room(&w)));
	command_key(&w, c->index == NULL
				? table_key_order(st->prefix, c->table->id, p->shard,
						  command_room(&w))
				: table_key_index(st->prefix, c->table->id, p->shard,
						  c->index->number, command_room(&w)));
	command_text(&w, c->is_backward ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX");
	command_span(&w, c->is_backward ? high : low);
	command_span(&w, c->is_backward ? low : high);
	command_number(&w, (int64_t)share(c->most, at_once, 4, PAGE_MOST));
	command_number(&w, (int64_t)share(c->bytes, at_once, BYTES_LEAST, BYTES_MOST));
	command_number(&w, c->index != NULL);
	command_number(&w, needs_entries(r));
	command_eval(&w, &script_range_read, on_page, p);
}

/* A table that goes on behind a first page is large: then one shard after the other is read. */
static bool reads_all(const struct range *r)
{
	bool is_first = r->conf.behind.n == 0;

	for (unsigned i = 0; i < r->n; i++)
		is_first = is_first && r->pages[i].rows == NULL && !r->pages[i].is_last;
	return r->conf.is_merged || is_first;
}

/* All shards at a time that may be needed: of merged ones each whose next item is not known; else the first such, and at the beginning all of them. */
void range_fill(struct range *r, range_fn *fn, void *arg)
{
	bool all = reads_all(r);
	struct page *p = missing(r, NULL), *behind;

	assert(p != NULL && r->waits == 0);
	r->fn = fn;
	r->arg = arg;
	r->e = OK;
	do {
		behind = all ? missing(r, p) : NULL;
		read_shard(p, all ? r->n : 1);
		p = behind;
	} while (p != NULL);
}
