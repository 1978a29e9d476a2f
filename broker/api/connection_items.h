#ifndef BROKER_API_CONNECTION_ITEMS_H
#define BROKER_API_CONNECTION_ITEMS_H

/*
 * The connection table as a table that handlers can read, gatepost.connections: an item for
 * each connection, by connectionId, with the number of its edge, when it connected, from
 * where, and what its authorizer said.
 *
 * In the order of edges and, within one, of ids: so a connection that is there from the first
 * page to the last is on one of them.
 */

#include "store/store.h"
#include "tables/foreign.h"

struct connection_items;

struct connection_items *connection_items_new(struct store *st);

/* Before the tables that use it: what waits is dropped. NULL is fine. */
void connection_items_free(struct connection_items *c);

/* For tables_set_foreign; its texts live for ever. */
struct tables_foreign connection_items_table(struct connection_items *c);

#endif
