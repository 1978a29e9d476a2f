#ifndef CONFIG_ENVIRONMENT_H
#define CONFIG_ENVIRONMENT_H

/* The environment of functions. */

#include "config/value.h"

/*
 * Read the mapping `environment` of from, if it has one, over what is in pairs already.
 * Names and ARNs of tables (!Ref Table) are resolved; values that only CloudFormation
 * knows are left out, with an info line: it cannot be
 * written otherwise in a file that AWS shall go on to read.
 */
void environment_read(struct reading *r, const struct value *from,
		      struct config_pair **pairs, size_t *n);

/* A copy of all pairs. */
struct config_pair *environment_copy(const struct config_pair *pairs, size_t n);

void environment_free(struct config_pair *pairs, size_t n);

#endif
