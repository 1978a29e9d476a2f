#ifndef CONFIG_FUNCTION_KEYS_H
#define CONFIG_FUNCTION_KEYS_H

/* What a function is: handler, runtime, timeout, memorySize, environment. */

#include "config/value.h"

/* out is zeroed; it is filled as far as it can be. */
void function_keys_read(struct reading *r, const struct value *v,
			struct config_function *out);

#endif
