#ifndef TABLES_FOREIGN_H
#define TABLES_FOREIGN_H

/*
 * A table whose items are kept elsewhere. It can be read, by DescribeTable, GetItem and
 * Scan; all else is refused. ListTables leaves it out.
 */

#include "tables/tables.h"

/*
 * The answer to a question. items: each DynamoDB's JSON, {"id":{"S":"…"}}, in the order of the
 * table; borrowed until the call returns. is_last: there are no more behind them.
 */
typedef void foreign_fn(void *arg, enum err e, const struct span *items, size_t n,
			bool is_last);

struct tables_foreign {
	const char
		*name;   /* "gatepost.connections"; a name that no other table can have */
	const char *key; /* its partition key, a string */

	/* The items behind the one of this key, in an order that does not change; empty: from the beginning. At most `most`. */
	void (*page)(void *arg, struct span after, size_t most, foreign_fn *fn,
		     void *fn_arg);
	/* The one item of this key; none: n is 0. */
	void (*find)(void *arg, struct span key, foreign_fn *fn, void *fn_arg);
	/* Both call fn once, and not from inside the call; never after tables_free. */
	void *arg;
};

/* One of them. f is copied, what it points to lives as long as t. */
void tables_set_foreign(struct tables *t, const struct tables_foreign *f);

#endif
