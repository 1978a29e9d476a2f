#ifndef TABLES_DESCRIBE_H
#define TABLES_DESCRIBE_H

/* What a table looks like: TableDescription, of CreateTable, DescribeTable, UpdateTable, DeleteTable. */

#include "tables/operations/job.h"

/*
 * Count the items of a table and of its indexes, and answer with {"name": the description}. Ends the call.
 *
 * t        borrowed until the call ends
 * name     "Table", "TableDescription"
 * status   "ACTIVE", "DELETING"
 */
void describe_answer(struct job *c, const struct table *t, const char *name,
		     const char *status);

/* The same of a table that has just been made or removed: without a look at Redis. */
void describe_answer_empty(struct job *c, const struct table *t, const char *name,
			   const char *status);

#endif
