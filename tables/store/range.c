#include "tables/store/range.h"

#include "tables/store/page.h"

#include <assert.h>

enum {
	BYTES_MOST = 1 << 20, /* of a shard at a time */
	BYTES_LEAST = 64 * 1024,
};

/* What is known of one shard. */
struct part {
	struct range *range;
	unsigned shard;
	struct page page; /* behind: go on here; empty: at the beginning */
	size_t at;        /* the next one of its rows */
};

struct range {
	struct tables_store *store;
	struct arena *arena;
	struct range_conf conf;
	struct part parts[SHARDS];
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
		struct part *p = &r->parts[r->n];

		if (conf->behind.n > 0 && !conf->is_merged && s < conf->behind_shard)
			continue;
		*p = (struct part){.range = r, .shard = s};
		if (conf->behind.n > 0 && (conf->is_merged || s == conf->behind_shard))
			p->page.behind = conf->behind;
		r->n++;
	}
	return r;
}

static bool is_empty(const struct part *p)
{
	return p->at == p->page.n;
}

/* A shard whose next item has to be known first: of merged shards each, else the first that is not over. */
static struct part *missing(struct range *r, struct part *behind)
{
	for (unsigned i = behind ? (unsigned)(behind - r->parts) + 1 : 0; i < r->n; i++) {
		struct part *p = &r->parts[i];

		if (is_empty(p) && !p->page.is_last)
			return p;
		if (!r->conf.is_merged && !is_empty(p))
			return NULL;
	}
	return NULL;
}

bool range_is_over(const struct range *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (!is_empty(&r->parts[i]) || !r->parts[i].page.is_last)
			return false;
	return true;
}

static struct part *next_part(struct range *r)
{
	struct part *best = NULL;

	for (unsigned i = 0; i < r->n; i++) {
		struct part *p = &r->parts[i];
		int order;

		if (is_empty(p) && !p->page.is_last)
			return NULL;
		if (is_empty(p))
			continue;
		if (!r->conf.is_merged)
			return p;
		if (best == NULL) {
			best = p;
			continue;
		}
		order = span_compare(p->page.rows[p->at].entry,
				     best->page.rows[best->at].entry);
		if (r->conf.is_backward ? order > 0 : order < 0)
			best = p;
	}
	return best;
}

bool range_take(struct range *r, struct range_row *out)
{
	struct part *p = next_part(r);

	if (p == NULL)
		return false;
	*out = p->page.rows[p->at++];
	return true;
}

/* ---- reading ---- */

static void on_page(void *arg, enum err e, const struct page *page)
{
	struct part *p = arg;
	struct range *r = p->range;

	if (e == OK) {
		p->page = *page;
		p->at = 0;
	} else {
		r->e = e;
	}
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

static struct span low_bound(const struct part *p)
{
	const struct range *r = p->range;
	const struct range_bounds *b = &r->conf.bounds;

	if (p->page.behind.n > 0 && !r->conf.is_backward &&
	    span_compare(p->page.behind, b->from) >= 0)
		return bound(r->arena, '(', p->page.behind);
	if (b->from.n == 0)
		return span_str("-");
	return bound(r->arena, b->from_is_out ? '(' : '[', b->from);
}

static struct span high_bound(const struct part *p)
{
	const struct range *r = p->range;
	const struct range_bounds *b = &r->conf.bounds;

	if (p->page.behind.n > 0 && r->conf.is_backward &&
	    (b->to.n == 0 || span_compare(p->page.behind, b->to) < 0))
		return bound(r->arena, '(', p->page.behind);
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
static void read_shard(struct part *p, unsigned at_once)
{
	struct range *r = p->range;
	const struct range_conf *c = &r->conf;

	r->waits++;
	page_read(r->store, r->arena,
		  &(struct page_conf){
			  .table = c->table,
			  .index = c->index,
			  .shard = p->shard,
			  .low = low_bound(p),
			  .high = high_bound(p),
			  .behind = p->page.behind,
			  .is_backward = c->is_backward,
			  .needs_entries = c->is_merged || c->needs_entries,
			  .is_long = c->first_shard < c->last_shard,
			  .most = share(c->most, at_once, 4, PAGE_MOST),
			  .bytes = share(c->bytes, at_once, BYTES_LEAST, BYTES_MOST),
		  },
		  on_page, p);
}

/* A table that goes on behind a first page is large: then one shard after the other is read. */
static bool reads_all(const struct range *r)
{
	bool is_first = r->conf.behind.n == 0;

	for (unsigned i = 0; i < r->n; i++)
		is_first = is_first && r->parts[i].page.rows == NULL &&
			   !r->parts[i].page.is_last;
	return r->conf.is_merged || is_first;
}

/* All shards at a time that may be needed: of merged ones each whose next item is not known; else the first such, and at the beginning all of them. */
void range_fill(struct range *r, range_fn *fn, void *arg)
{
	bool all = reads_all(r);
	struct part *p = missing(r, NULL), *behind;

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
