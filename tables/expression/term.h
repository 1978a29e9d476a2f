#ifndef TABLES_TERM_H
#define TABLES_TERM_H

/* The right sides of SET. */

#include "tables/expression/tree.h"

/* One update at work: all right sides see the same item. */
struct terms {
	struct arena *a;
	const struct value_map *item; /* as it was */
	size_t appended; /* elements that list_append copied so far, to bound the memory */
	struct refusal *no;
};

/*
 * What a term is.
 *
 * out      shares with the item and the literals
 * returns  OK; ERR_MALFORMED: no is filled
 */
must_use enum err term_value(struct terms *t, const struct node *term,
			     const struct value **out);

/* a + b, or a - b, of two N. */
must_use enum err term_sum(struct terms *t, enum node_kind kind, const struct value *a,
			   const struct value *b, const struct value **out);

/* Refuse for an operand's type. */
enum err term_refuse_type(struct terms *t);

#endif
