#ifndef TABLES_EXPRESSION_H
#define TABLES_EXPRESSION_H

/*
 * The five kinds of expressions: condition and filter, update, projection, key condition.
 *
 *   text → (lexer) tokens → (parser) a tree → what is done with it
 *
 * Everything is read and checked before any item is: a wrong expression is refused also
 * when nothing would be compared. Pure: no Redis, no clock. Trees live in the arena of
 * the request.
 *
 * source  Amazon DynamoDB Developer Guide, "Using expressions in DynamoDB"
 */

#include "tables/value/value.h"

enum {
	EXPRESSION_MOST = 4096,         /* bytes of its text */
	EXPRESSION_OPERATORS_MOST = 300,
	EXPRESSION_IN_MOST = 100,       /* operands of IN */
};

/*
 * ExpressionAttributeNames and ExpressionAttributeValues of a request (or of a part of
 * a transaction), shared by all its expressions, and which of them were used.
 */
struct placeholders;

/*
 * names    members whose values are VALUE_S; NULL: absent
 * values   NULL: absent
 * no       filled unless OK: an empty map, a key without '#' or ':'
 */
must_use enum err placeholders_new(struct arena *a, const struct value_map *names,
				   const struct value_map *values,
				   struct placeholders **out, struct refusal *no);

/* When all expressions have been parsed. ERR_MALFORMED: some are unused, or there was no expression at all. */
must_use enum err placeholders_check(struct arena *a, const struct placeholders *p,
				     struct refusal *no);

/* ---- conditions and filters ---- */

struct condition;

/* what: "ConditionExpression" or "FilterExpression", for the sentence. */
must_use enum err condition_parse(struct arena *a, const char *what, struct span text,
				  struct placeholders *p, struct condition **out,
				  struct refusal *no);

/* item NULL: there is none, every path is absent. */
bool condition_holds(const struct condition *c, const struct value_map *item);

/* Does a path of it begin with this attribute? For "Filter Expression can only contain non-primary key attributes". */
bool condition_names(const struct condition *c, struct span attribute);

/* ---- updates ---- */

struct update;

must_use enum err update_parse(struct arena *a, struct span text, struct placeholders *p,
			       struct update **out, struct refusal *no);

/* Does it touch this attribute or a part of it? For "Cannot update attribute …; this attribute is part of the key". */
bool update_touches(const struct update *u, struct span attribute);

/*
 * What becomes of an item. The right sides see the item as it was.
 *
 * old      the item; for one that is not there, its key alone
 * out      the new item, shares what stays with old
 * no       filled unless OK: types of operands, absent attributes, paths that do not exist
 */
must_use enum err update_apply(struct arena *a, const struct update *u,
			       const struct value_map *old, struct value_map *out,
			       struct refusal *no);

/*
 * The touched paths alone, nested parts as nested (UPDATED_OLD, UPDATED_NEW).
 *
 * item     before, or after; NULL: absent
 * returns  false when nothing is left: Attributes is absent from the answer
 */
bool update_touched(struct arena *a, const struct update *u, const struct value_map *item,
		    struct value_map *out);

/* ---- projections ---- */

struct projection;

must_use enum err projection_parse(struct arena *a, struct span text,
				   struct placeholders *p, struct projection **out,
				   struct refusal *no);

/* The paths that are there; list elements are moved together, in the order of their indexes. */
void projection_apply(struct arena *a, const struct projection *p,
		      const struct value_map *item, struct value_map *out);

/* The top-level attributes that it names, for indexes that do not project all. Borrowed from p. */
const struct span *projection_attributes(const struct projection *p, size_t *n);

/* ---- key conditions ---- */

enum sort_test { SORT_ANY, SORT_EQUAL, SORT_LESS, SORT_LESS_EQUAL, SORT_GREATER,
		 SORT_GREATER_EQUAL, SORT_BETWEEN, SORT_BEGINS };

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
	const struct value *low, *high; /* high: of BETWEEN alone */
};

must_use enum err key_condition_parse(struct arena *a, struct span text,
				      struct placeholders *p, const struct key_names *names,
				      struct key_condition *out, struct refusal *no);

/* ---- the parameters from before expressions ---- */

/*
 * AttributeUpdates, Expected, ScanFilter, QueryFilter, KeyConditions, AttributesToGet and
 * ConditionalOperator, as JSON (json/read.h) that has been found well-formed, into the same trees.
 * operator: ConditionalOperator, empty: AND.
 */
struct json_value;
must_use enum err legacy_updates(struct arena *a, const struct json_value *v,
				 struct update **out, struct refusal *no);
must_use enum err legacy_expected(struct arena *a, const struct json_value *v,
				  struct span operator_, struct condition **out,
				  struct refusal *no);
must_use enum err legacy_filter(struct arena *a, const struct json_value *v,
				struct span operator_, struct condition **out,
				struct refusal *no);
must_use enum err legacy_key_conditions(struct arena *a, const struct json_value *v,
					const struct key_names *names,
					struct key_condition *out, struct refusal *no);
must_use enum err legacy_attributes(struct arena *a, const struct json_value *v,
				    struct projection **out, struct refusal *no);

#endif
