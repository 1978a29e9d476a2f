#ifndef CONFIG_TABLES_H
#define CONFIG_TABLES_H

/*
 * The tables of `resources:` as definitions in DynamoDB's words, which are CloudFormation's
 * but for what bills and backs up: names, keys, indexes and TTL are passed on.
 */

#include "config/value.h"

/* After resources_read, and after the functions. What cannot be resolved is left out, with an info line. */
void tables_read(struct reading *r);

#endif
