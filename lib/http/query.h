#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

/* The query of a request's target: "name=value&name=value", escaped as forms are (%20 or + for a blank). */

#include "base/span.h"

/*
 * The next parameter, as it was sent: *rest starts as the query. False at the end. Empty ones
 * ("a=1&&b=2") are skipped; one without '=' has an empty value.
 */
bool query_next(struct span *rest, struct span *name, struct span *value);

/* Is each parameter a name with "=", and nothing in it a '%' without two hex digits or a zero byte? */
bool query_is_right(struct span query);

/* The first parameter with this name, decoded, freed with free(3); NULL when there is none. Of a query that is right. */
char *query_parameter(struct span query, const char *name);

#endif
