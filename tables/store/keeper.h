#ifndef TABLES_KEEPER_H
#define TABLES_KEEPER_H

/*
 * One broker of all removes what has expired, what was dropped, and fills what a change has begun. It holds
 * a lease in Redis; when it dies, another one takes over when the lease has expired.
 */

#include "base/metric.h"
#include "tables/store/catalog.h"

struct keeper;

struct keeper *keeper_new(struct tables_store *st, struct metric *expired);

/* When the store does not answer any more. NULL is fine. */
void keeper_free(struct keeper *k);

/* A change has been made here: fill the table now, whoever holds the lease. */
void keeper_fill(struct keeper *k, struct table *t);

#endif
