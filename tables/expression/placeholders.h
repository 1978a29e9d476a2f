#ifndef TABLES_PLACEHOLDERS_H
#define TABLES_PLACEHOLDERS_H

/*
 * ExpressionAttributeNames and ExpressionAttributeValues of a request (or of a part of
 * a transaction), shared by all its expressions, and which of them were used.
 */

#include "tables/value/value.h"

struct placeholders;

/*
 * names    members whose values are VALUE_S; NULL: absent
 * values   NULL: absent
 * no       filled unless OK: an empty map, a key without '#' or ':'
 */
must_use enum err placeholders_new(struct arena *a, const struct value_map *names,
				   const struct value_map *values,
				   struct placeholders **out, struct refusal *no);

/* There is an expression that could use them; the parsers call it. */
void placeholders_count_expression(struct placeholders *p);

/* What "#name" stands for, which is used from now on. false: it is not defined. */
bool placeholders_name(struct placeholders *p, struct span key, struct span *out);

/* What ":value" stands for; NULL: it is not defined. */
const struct value *placeholders_value(struct placeholders *p, struct span key);

/* When all expressions have been parsed. ERR_MALFORMED: some are unused, or there was no expression at all. */
must_use enum err placeholders_check(struct arena *a, const struct placeholders *p,
				     struct refusal *no);

#endif
