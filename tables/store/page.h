#ifndef TABLES_PAGE_H
#define TABLES_PAGE_H

/*
 * Some items of one shard in the order of their keys, or of the entries of an index; for range.c.
 *
 * A script reads them at one moment and sees when the bytes are enough. But what goes through Lua costs Redis
 * four times as much as plain commands do. So a long read of a table without an index takes plain commands: the
 * keys first, then their items, if those cannot be too large, which the shard knows ("largest"). An
 * item that is deleted in between is left out.
 */

#include "tables/store/range.h"

enum { PAGE_MOST = 1000 }; /* items at a time */

struct page {
	struct range_row *rows;
	size_t n;
	bool is_last; /* nothing is behind it */
	struct span
		behind; /* go on behind this stored key or entry; empty: at the beginning */
};

struct page_conf {
	const struct table *table;
	const struct table_index *index; /* NULL: the table itself */
	unsigned shard;
	struct span low, high; /* as ZRANGEBYLEX has them */
	struct span behind;    /* of the page before */
	bool is_backward;
	bool needs_entries; /* of its rows */
	bool is_long;       /* many items are expected */
	size_t most;        /* at most so many items, up to PAGE_MOST */
	size_t bytes;       /* about so many bytes are enough */
};

/* page lives in the arena of the call. ERR_AGAIN: as of items_get. */
typedef void page_fn(void *arg, enum err e, const struct page *page);

/* conf is copied, what it points to is borrowed. */
void page_read(struct tables_store *st, struct arena *a, const struct page_conf *conf,
	       page_fn *fn, void *arg);

#endif
