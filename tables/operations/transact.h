#ifndef TABLES_TRANSACT_H
#define TABLES_TRANSACT_H

/* What both transactions have in common. */

#include "tables/operations/job.h"
#include "tables/value/value.h"

enum { TRANSACT_MOST = 100, TRANSACT_BYTES = 4 * 1024 * 1024 };

/* Why one part was not done. */
struct transact_reason {
	const char *code;             /* "ConditionalCheckFailed"; NULL: "None" */
	const char *message;          /* NULL: none */
	const struct value_map *item; /* NULL: none */
};

/* TransactionCanceledException. Ends the job. */
void transact_cancel(struct job *c, const struct transact_reason *reasons, size_t n);

/* Is each item there once? Refuses the request by itself, and returns false. */
bool transact_check_twice(struct job *c, const struct item_place *places, size_t n);

#endif
