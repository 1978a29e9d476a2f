#ifndef TABLES_ASKED_H
#define TABLES_ASKED_H

/* The expressions of a request, or of a part of a transaction; and the parameters from before them. */

#include "tables/expression/expression.h"
#include "tables/store/fields.h"

/* What the operation has. */
enum asked_kinds {
	ASKED_CONDITION = 1,  /* ConditionExpression, Expected */
	ASKED_UPDATE = 2,     /* UpdateExpression, AttributeUpdates */
	ASKED_PROJECTION = 4, /* ProjectionExpression, AttributesToGet */
	ASKED_FILTER = 8,     /* FilterExpression, QueryFilter or ScanFilter */
	ASKED_KEY = 16,       /* KeyConditionExpression, KeyConditions */
	ASKED_NEW_ONLY = 32,  /* those from before expressions are not members of it */
};

/* NULL: absent. */
struct asked {
	struct condition *condition, *filter;
	struct update *update;
	struct projection *projection;
	struct condition *key;               /* for key_condition_bind */
	const struct json_value *legacy_key; /* for legacy_key_conditions */
};

must_use enum err asked_read(struct arena *a, const struct fields *f, unsigned kinds,
			     struct asked *out, struct refusal *no);

#endif
