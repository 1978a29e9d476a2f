#ifndef TABLES_COMPARE_H
#define TABLES_COMPARE_H

/*
 * The one comparison of all conditions, for values that may be absent. With an absent one, or one
 * of another type, everything is false but "<>".
 */

#include "tables/expression/tree.h"

/*
 * kind     NODE_EQUAL to NODE_GREATER_EQUAL
 * a, b     NULL: absent
 */
bool compare_values(enum node_kind kind, const struct value *a, const struct value *b);

bool compare_between(const struct value *v, const struct value *low,
		     const struct value *high);

/* Of S and B alone. */
bool compare_begins_with(const struct value *v, const struct value *prefix);

/* A part of an S or B, or an element of a set or L. */
bool compare_contains(const struct value *v, const struct value *part);

/* size(): false for types that have none. S in UTF-16 units, B in bytes, else elements. */
bool compare_size(const struct value *v, size_t *out);

#endif
