#ifndef BROKER_PATH_H
#define BROKER_PATH_H

/* Paths of requests, as they came (not decoded). */

#include "base/span.h"

/* Is it "/stage" or "/stage/"? */
bool path_is_stage(struct span path, const char *stage);

/* What follows the stage, with its slash: "/dev/ping" → "/ping". False when path is not below the stage. */
bool path_below_stage(struct span path, const char *stage, struct span *rest);

/*
 * Does path match the pattern of an HTTP route, such as "/users/{id}" or "/files/{rest+}"?
 *
 * returns  0: no; else the higher the more of the path the pattern names itself, and lower
 *          for all that are greedy than for all that are not
 */
int path_rank(const char *pattern, struct span path);

#endif
