#ifndef TABLES_CAPACITY_H
#define TABLES_CAPACITY_H

/*
 * ConsumedCapacity: what a request would cost on AWS. Computed when it is asked for, never enforced.
 *
 * source  Developer Guide, "Read/write capacity mode", capacity units
 */

#include "tables/operations/job.h"

/* In the order of the words. */
enum capacity_asked { CAPACITY_INDEXES, CAPACITY_TOTAL, CAPACITY_NONE };

/* In halves of a unit. */
struct capacity {
	enum capacity_asked asked;
	int64_t table;
	int64_t indexes[TABLE_INDEXES_MOST]; /* as t->indexes */
};

/* ReturnConsumedCapacity. */
must_use enum err capacity_read(const struct fields *f, struct capacity *out,
				struct refusal *no);

/* Halves of units. An absent item (0 bytes) costs as much as the smallest. */
int64_t capacity_of_write(size_t bytes);
int64_t capacity_of_read(size_t bytes, bool is_consistent);

/* {"TableName":…,"CapacityUnits":1.5} */
void capacity_write(struct json_out *o, const struct table *t, const struct capacity *c);

/* The member ConsumedCapacity of an answer, with its comma, unless it is not asked for. */
void capacity_answer(struct json_out *o, const struct table *t, const struct capacity *c);

#endif
