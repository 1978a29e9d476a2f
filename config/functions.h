#ifndef CONFIG_FUNCTIONS_H
#define CONFIG_FUNCTIONS_H

/*
 * functions: a mapping, or a list of mappings. Their events are read first: what is on no
 * route and authorizes nobody is passed over, so that a job in a language that we do not
 * run disturbs nobody.
 */

#include "config/value.h"

void functions_read(struct reading *r, const struct value *root);

#endif
