#ifndef TABLES_DECLARE_H
#define TABLES_DECLARE_H

/* A table that a configuration file declares, as an operation that no client can ask for. */

#include "tables/operations/job.h"

/* CreateTable that is content with a table of the same keys: it gets the indexes that it lacks, and its TTL. */
operation_fn declare_table;

#endif
