#ifndef TABLES_FILL_H
#define TABLES_FILL_H

/*
 * What a change of a table means for the items that it had before: entries in a new index, expiries by a new TTL
 * attribute. When all are done the index becomes active.
 *
 * All shards know the new generation first, so that what is written from then on is right by itself,
 * and an item that changes while it is being done needs nothing more. A fill that ends in the middle, with its
 * broker, is begun again by the keeper; doing it twice, or in two brokers at once, does no harm.
 */

#include "tables/store/catalog.h"

struct fill;

/*
 * t        table_is_changing; one more reference is taken
 * fn       OK: done. ERR_CLAIMED, ERR_NOTFOUND, ERR_AGAIN: the table has changed again; ERR_DOWN, ERR_BUSY: try again.
 *          The fill is freed behind it
 */
typedef void fill_fn(void *arg, enum err e);
struct fill *fill_new(struct tables_store *st, struct table *t, fill_fn *fn, void *arg);

/* fn is not called. Only when the store is closed: what was asked must not be answered any more. */
void fill_free(struct fill *f);

#endif
