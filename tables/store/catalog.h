#ifndef TABLES_CATALOG_H
#define TABLES_CATALOG_H

/*
 * Which tables there are. The catalog is a hash in Redis; each broker keeps what it has seen of
 * it, and is told by the scripts when that is out of date (items.h): each shard of a
 * table knows the generation of the table.
 *
 * A crash leaves behind
 *   in a creation    marks in the shards of an id that nobody knows; its entry in dropped stands,
 *                    and the keeper removes them (keeper.h)
 *   in a change      shards that do not know the new generation yet: the next write of the new one
 *                    tells them. An index is filled only when all shards know it
 *   in a deletion    keys of an id that nobody knows: as above
 */

#include "tables/store/schema.h"
#include "tables/store/store.h"

/* The table of this name as last seen, borrowed; NULL when it has not been seen. */
struct table *catalog_find(const struct tables_store *st, struct span name);

/* Look it up again before it is used next. */
void catalog_forget(struct tables_store *st, struct span name);
void catalog_forget_all(struct tables_store *st);

/* ERR_NOTFOUND: there is none. t is borrowed, and is in the catalog's memory now. */
typedef void catalog_table_fn(void *arg, enum err e, struct table *t);
void catalog_load(struct tables_store *st, struct arena *a, struct span name,
		  catalog_table_fn *fn, void *arg);

typedef void catalog_done_fn(void *arg, enum err e);

/* ERR_CLAIMED: there is a table of this name. t has to stand until fn is called. */
void catalog_create(struct tables_store *st, struct arena *a, struct table *t,
		    catalog_done_fn *fn, void *arg);

/*
 * Replace a table by what table_change made of it. OK when all shards know it.
 *
 * dropped  an index that is not there any more, whose entries have to go; NULL: none
 * fn       ERR_CLAIMED: somebody else has changed it; ERR_NOTFOUND: it is deleted
 */
void catalog_change(struct tables_store *st, struct arena *a, struct table *next,
		    const struct table_index *dropped, catalog_done_fn *fn, void *arg);

/* Let all shards know the generation of t: the last part of a change, also when who began it has died. */
void catalog_mark(struct tables_store *st, struct arena *a, struct table *t,
		  catalog_done_fn *fn, void *arg);

/* ERR_NOTFOUND, ERR_CLAIMED: as above. When it is OK, no broker writes to it any more. */
void catalog_delete(struct tables_store *st, struct arena *a, struct table *t,
		    catalog_done_fn *fn, void *arg);

/* All names, ascending. */
typedef void catalog_names_fn(void *arg, enum err e, const struct span *names, size_t n);
void catalog_list(struct tables_store *st, struct arena *a, catalog_names_fn *fn,
		  void *arg);

/* About how many items, and how large all of them are. index NULL: of the table itself. */
typedef void catalog_size_fn(void *arg, enum err e, int64_t items, int64_t bytes);
void catalog_size(struct tables_store *st, struct arena *a, const struct table *t,
		  const struct table_index *index, catalog_size_fn *fn, void *arg);

#endif
