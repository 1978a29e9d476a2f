#ifndef HTTP_PATH_H
#define HTTP_PATH_H

/* Paths of requests, as they came (not decoded). */

#include "base/span.h"

/* Is it the one part, as in "/part" or "/part/"? */
bool path_is(struct span path, const char *part);

/* What follows the first part, with its slash: of "dev" and "/dev/ping" it is "/ping". False when path is not below it. */
bool path_below(struct span path, const char *first, struct span *rest);

/*
 * Does path match a pattern such as "/users/{id}" or "/files/{rest+}"?
 *
 * returns  0: no; else the higher the more of the path the pattern names itself, and lower
 *          for all that are greedy than for all that are not
 */
int path_rank(const char *pattern, struct span path);

#endif
