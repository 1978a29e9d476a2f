#include "tables/store/fill.h"

#include "base/mem.h"
#include "tables/store/items.h"
#include "tables/store/range.h"
#include "tables/value/value_json.h"

#include <stdlib.h>

enum { AT_ONCE = 64, ARENA_MOST = 4 * 1024 * 1024 };

struct fill {
	struct tables_store *store;
	struct table *table, *next;
	struct arena *arena; /* of some pages; a new one begins when it has grown */
	struct range *range;
	uint8_t *behind; /* where it goes on with a new arena */
	size_t behind_n;
	unsigned behind_shard;
	size_t waits;
	enum err e;
	fill_fn *fn;
	void *arg;
};

static void begin_pages(struct fill *f);
static void on_marked(void *arg, enum err e);
static void on_page(void *arg, enum err e);
static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now);
static void finish(struct fill *f);

struct fill *fill_new(struct tables_store *st, struct table *t, fill_fn *fn, void *arg)
{
	struct fill *f = xcalloc(1, sizeof *f);

	f->store = st;
	f->table = table_ref(t);
	f->arena = arena_new();
	f->fn = fn;
	f->arg = arg;
	catalog_mark(st, f->arena, f->table, on_marked, f);
	return f;
}

void fill_free(struct fill *f)
{
	table_unref(f->table);
	table_unref(f->next);
	arena_free(f->arena);
	free(f->behind);
	free(f);
}

static void end(struct fill *f, enum err e)
{
	fill_fn *fn = f->fn;
	void *arg = f->arg;

	fill_free(f);
	fn(arg, e);
}

static void on_marked(void *arg, enum err e)
{
	struct fill *f = arg;

	if (e == OK)
		begin_pages(f);
	else
		end(f, e);
}

static void begin_pages(struct fill *f)
{
	f->range = range_new(f->store, f->arena,
			     &(struct range_conf){
				     .table = f->table,
				     .needs_entries = true,
				     .last_shard = SHARDS - 1,
				     .behind = span_of(f->behind, f->behind_n),
				     .behind_shard = f->behind_shard,
				     .most = AT_ONCE,
				     .bytes = ARENA_MOST / SHARDS,
			     });
	range_fill(f->range, on_page, f);
}

/* The item as it is to be; ITEM_CHECK when it is so already. False: it is damaged, and left alone. */
static bool compute(struct fill *f, const struct range_row *row, struct item_write *out,
		    struct blob **blob)
{
	const struct table *t = f->table;
	struct item_change *changes =
		arena_alloc(f->arena, t->n_indexes * sizeof *changes);
	struct value_map item;

	if (value_read_stored(f->arena, row->item.json, &item) != OK)
		return false;
	*out = (struct item_write){.place = {t, row->shard, row->entry},
				   .kind = ITEM_CHECK,
				   .old = row->item,
				   .changes = changes};
	for (size_t i = 0; i < t->n_indexes; i++) {
		struct item_change *c = &changes[out->n_changes];

		if (t->indexes[i].state == INDEX_CREATING &&
		    place_entry(f->arena, &t->indexes[i], &item, row->entry, &c->entry)) {
			c->index = &t->indexes[i];
			c->is_added = true;
			out->n_changes++;
		}
	}
	out->expiry = item_expiry(t, &item);
	if (t->ttl_is_new && (out->expiry != 0 || row->item.expiry != 0)) {
		out->kind = ITEM_PUT;
		*blob = item_blob(f->store, &item, row->item.size, out->expiry);
		out->blob = blob_span(*blob);
	}
	return true;
}

static void write_row(struct fill *f, const struct range_row *row)
{
	struct blob *blob = NULL;
	struct item_write w;

	if (!compute(f, row, &w, &blob) || (w.kind == ITEM_CHECK && w.n_changes == 0))
		return;
	f->waits++;
	items_write(f->store, f->arena, &(struct items_write){.parts = &w, .n = 1},
		    on_written, f);
	blob_unref(blob);
}

static void remember_place(struct fill *f, const struct range_row *row)
{
	f->behind = xrealloc(f->behind, row->entry.n);
	memcpy(f->behind, row->entry.p, row->entry.n);
	f->behind_n = row->entry.n;
	f->behind_shard = row->shard;
}

/* With a new arena the rows that were read ahead are read again. */
static void go_on(struct fill *f)
{
	if (range_is_over(f->range)) {
		finish(f);
		return;
	}
	if (arena_bytes(f->arena) > ARENA_MOST) {
		arena_free(f->arena);
		f->arena = arena_new();
		begin_pages(f);
		return;
	}
	range_fill(f->range, on_page, f);
}

static void on_page(void *arg, enum err e)
{
	struct fill *f = arg;
	struct range_row row;

	if (e != OK) {
		end(f, e);
		return;
	}
	f->waits = 1;
	while (range_take(f->range, &row)) {
		write_row(f, &row);
		remember_place(f, &row);
	}
	if (--f->waits == 0)
		go_on(f);
}

static void on_written(void *arg, enum items_outcome outcome, enum err e, size_t part,
		       const struct item *now)
{
	struct fill *f = arg;

	(void)part;
	(void)now;
	if (outcome == ITEMS_STALE)
		f->e = ERR_AGAIN;
	else if (outcome == ITEMS_LOCKED)
		f->e = ERR_BUSY;
	else if (outcome == ITEMS_FAILED)
		f->e = e;
	if (--f->waits > 0)
		return;
	if (f->e == OK)
		go_on(f);
	else
		end(f, f->e);
}

static void on_finished(void *arg, enum err e)
{
	end(arg, e);
}

static void finish(struct fill *f)
{
	f->next = table_change(f->table);
	for (size_t i = 0; i < f->next->n_indexes; i++)
		f->next->indexes[i].state = INDEX_ACTIVE;
	f->next->ttl_is_new = false;
	catalog_change(f->store, f->arena, f->next, NULL, on_finished, f);
}
