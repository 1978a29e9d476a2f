#ifndef BROKER_API_TABLE_ACCESS_H
#define BROKER_API_TABLE_ACCESS_H

/*
 * What the sender of a request may do with tables: everything, or what the IAM statements
 * of its function allow. The statements are those in force when the request came, for as long
 * as it is being handled.
 */

#include "broker/routes/route.h"

struct table_access;

/*
 * routes    of which one reference is taken
 * function  the name of the function whose worker asks; NULL: everything is allowed. One
 *           that the configuration does not have (any more) may do nothing where there are
 *           statements
 */
struct table_access *table_access_new(struct routes *routes, const char *function);
void table_access_free(struct table_access *a); /* NULL is fine */

/* As tables want it: arg is a table_access, action "PutItem"; index may be empty. */
bool table_access_may(void *arg, const char *action, struct span table,
		      struct span index);

#endif
