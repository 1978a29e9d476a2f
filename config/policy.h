#ifndef CONFIG_POLICY_H
#define CONFIG_POLICY_H

/*
 * What a function's IAM statements let it do with tables. Pure.
 *
 * source  AWS IAM User Guide: "Policy evaluation logic"; Service Authorization Reference:
 *         "Actions, resources, and condition keys for Amazon DynamoDB"
 */

#include "config/config.h"

#include "base/span.h"

/* One statement that concerns tables. Patterns may have * and ?. */
struct config_statement {
	bool denies;
	bool but_actions;   /* NotAction: all but these */
	bool but_resources; /* NotResource */
	char **actions;     /* "dynamodb:Get*" */
	size_t n_actions;
	char **resources; /* "arn:aws:dynamodb:*:*:table/rooms*" */
	size_t n_resources;
};

/*
 * Do the statements allow it? A Deny wins; what none allows is denied. There is one name
 * space of tables: partition, region and account of an ARN do not matter.
 *
 * action   "PutItem"
 * table    its name; empty: the action is about none (ListTables)
 * index    of the table; empty: none
 */
bool policy_may(const struct config_statement *list, size_t n, const char *action,
		struct span table, struct span index);

/* The same for a function of a configuration: without any statement in it everybody may do everything. */
bool policy_may_function(const struct config *c, const struct config_function *f,
			 const char *action, struct span table, struct span index);

/* Can this pattern of actions match one of tables? */
bool policy_is_ours(const char *action);

#endif
