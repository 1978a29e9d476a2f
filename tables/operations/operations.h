#ifndef TABLES_OPERATIONS_H
#define TABLES_OPERATIONS_H

/* The operations of tables.c's list, each in the file of its group; and what call.c and tables.c share. */

#include "tables/operations/job.h"

operation_fn put_item, update_item, delete_item; /* write.c */
operation_fn get_item;                           /* get.c */
operation_fn operation_query, operation_scan;    /* query.c, scan.c */
operation_fn batch_get_item;                     /* batch_get.c */
operation_fn batch_write_item;                   /* batch_write.c */
operation_fn transact_write_items;               /* transact_write.c */
operation_fn transact_get_items;                 /* transact_get.c */
operation_fn create_table, describe_table, list_tables, delete_table; /* table.c */
operation_fn update_table;                                            /* update_table.c */
operation_fn update_time_to_live, describe_time_to_live;              /* time_to_live.c */

/* The answer is there: give it, now or on the next turn, and free the call. */
void job_end(struct job *c);

void job_release_tables(struct job *c);

/* What stands before an exception's name in __type: "com.amazon.coral.validate#" */
const char *job_prefix(const char *type);

#endif
