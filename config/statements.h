#ifndef CONFIG_STATEMENTS_H
#define CONFIG_STATEMENTS_H

/*
 * The IAM statements about tables: provider.iam.role.statements,
 * provider.iamRoleStatements, and a function's own iamRoleStatements (the plugin
 * serverless-iam-roles-per-function). Those about other services are ignored.
 *
 * They never permit more than on AWS: an Allow with a Condition is left out, a Deny with
 * one denies always, and what cannot be resolved is nothing in an Allow, and everything
 * in a Deny. Each with an info line.
 *
 * source  Serverless Framework: guide "IAM"; AWS IAM User Guide: "IAM JSON policy reference"
 */

#include "config/policy.h"
#include "config/value.h"

/* Those of provider: into the reading. */
void statements_read_provider(struct reading *r, const struct value *provider);

/* Those that are in force for a function: its own, the provider's unless it has some, both with iamRoleStatementsInherit. */
void statements_read_function(struct reading *r, const struct value *function,
			      struct config_function *out);

void statements_free(struct config_statement *list, size_t n);

#endif
