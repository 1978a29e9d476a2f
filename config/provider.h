#ifndef CONFIG_PROVIDER_H
#define CONFIG_PROVIDER_H

/* provider: the stage, the route selection expression, and what all functions have in common. */

#include "config/value.h"

/* The stage alone, since variables ask for it: --stage, else provider.stage, else dev. */
void provider_read_stage(struct reading *r, const struct value *root);

/* All the rest. */
void provider_read(struct reading *r, const struct value *root);

#endif
