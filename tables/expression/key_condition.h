#ifndef TABLES_KEY_CONDITION_H
#define TABLES_KEY_CONDITION_H

/* Key conditions: one value of the partition key, and a range of the sort key. */

#include "tables/expression/condition.h"
#include "tables/expression/placeholders.h"

enum sort_test {
	SORT_ANY,
	SORT_EQUAL,
	SORT_LESS,
	SORT_LESS_EQUAL,
	SORT_GREATER,
	SORT_GREATER_EQUAL,
	SORT_BETWEEN,
	SORT_BEGINS,
};

/* Key attributes of the table or index that is asked. */
struct key_names {
	struct span partition;
	enum value_type partition_type;
	struct span sort; /* empty: it has none */
	enum value_type sort_type;
};

struct key_condition {
	const struct value *partition;
	enum sort_test test;
	const struct value *low, *high; /* NULL for SORT_ANY; high: of BETWEEN alone */
};

/*
 * Read one, and find what is wrong with it whatever the table: before the table is known.
 * For key_condition_bind.
 */
must_use enum err key_condition_read(struct arena *a, struct span text,
				     struct placeholders *p, struct condition **out,
				     struct refusal *no);

/*
 * What it means for a table or index.
 *
 * c        of key_condition_read, or of legacy_key_conditions; out points into it
 * returns  OK; ERR_MALFORMED: it is none for these keys; no is filled
 */
must_use enum err key_condition_bind(struct arena *a, const struct condition *c,
				     const struct key_names *names,
				     struct key_condition *out, struct refusal *no);

/* Both at once. */
must_use enum err key_condition_parse(struct arena *a, struct span text,
				      struct placeholders *p,
				      const struct key_names *names,
				      struct key_condition *out, struct refusal *no);

#endif
