#ifndef TABLES_OPERATIONS_FOREIGN_H
#define TABLES_OPERATIONS_FOREIGN_H

/* The operations on a table that is kept elsewhere. */

#include "tables/foreign.h"
#include "tables/operations/job.h"

/* Is the request for this table? f->name NULL: there is none. */
bool foreign_is_for(const struct job *c, const struct tables_foreign *f);

/* Run its operation, or refuse it. */
void foreign_run(struct job *c, const struct tables_foreign *f);

#endif
