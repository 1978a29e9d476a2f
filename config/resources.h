#ifndef CONFIG_RESOURCES_H
#define CONFIG_RESOURCES_H

/*
 * What concerns us of `resources:`, which is CloudFormation's: the tables
 * (AWS::DynamoDB::Table, AWS::Serverless::SimpleTable), and the parameters that have a
 * default. All else is ignored, without a look at its values.
 *
 * source  Serverless Framework: guide "AWS Infrastructure Resources"
 */

#include "config/value.h"

/* Find them. Nothing in it is a mistake: what cannot be read is an info line. */
void resources_read(struct reading *r, const struct value *root);

/* Free what resources_read has found. */
void resources_close(struct reading *r);

/* The table of this logical id; NULL: there is none. */
struct resource *resources_find(const struct reading *r, const char *id);

/*
 * The name of a table: TableName, else SERVICE-STAGE-ID, as a stack would call it.
 *
 * returns  NULL when it cannot be resolved, after an info line; lives as long as the reading
 */
const char *resource_name(struct reading *r, struct resource *table);

/* The default of a parameter; NULL: there is none. Lives as long as the reading. */
const char *resources_parameter(const struct reading *r, const char *name);

#endif
