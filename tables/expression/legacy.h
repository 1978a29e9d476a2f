#ifndef TABLES_LEGACY_H
#define TABLES_LEGACY_H

/*
 * The parameters from before expressions, into the same trees: AttributeUpdates, Expected, ScanFilter,
 * QueryFilter, KeyConditions, AttributesToGet, ConditionalOperator. They come as JSON
 * (json/read.h) that has been found well-formed, which must live as long as the tree.
 *
 * source  Amazon DynamoDB Developer Guide, "Legacy conditional parameters"
 */

#include "json/read.h"
#include "tables/expression/key_condition.h"
#include "tables/expression/projection.h"
#include "tables/expression/update.h"

/* AttributeUpdates. */
must_use enum err legacy_updates(struct arena *a, const struct json_value *v,
				 struct update **out, struct refusal *no);

/*
 * Expected.
 *
 * connective  ConditionalOperator: "AND" or "OR", empty: AND
 * out         NULL when v names no attribute
 */
must_use enum err legacy_expected(struct arena *a, const struct json_value *v,
				  struct span connective, struct condition **out,
				  struct refusal *no);

/* The same for ScanFilter and QueryFilter. */
must_use enum err legacy_filter(struct arena *a, const struct json_value *v,
				struct span connective, struct condition **out,
				struct refusal *no);

/* KeyConditions. */
must_use enum err legacy_key_conditions(struct arena *a, const struct json_value *v,
					const struct key_names *names,
					struct key_condition *out, struct refusal *no);

/* AttributesToGet. */
must_use enum err legacy_attributes(struct arena *a, const struct json_value *v,
				    struct projection **out, struct refusal *no);

#endif
