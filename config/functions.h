#ifndef CONFIG_FUNCTIONS_H
#define CONFIG_FUNCTIONS_H

/*
 * functions: a mapping, or a list of mappings. Their events are read first: what is on no
 * route and is no authorizer is ignored, so that a job in a language that Gatepost does not
 * run is no mistake.
 */

#include "config/value.h"

void functions_read(struct reading *r, const struct value *root);

#endif
