#ifndef BROKER_FUNCTION_BUILTIN_H
#define BROKER_FUNCTION_BUILTIN_H

/* Functions that are part of the broker: builtin:echo, builtin:ping and the tutorial's others. */

#include "broker/function/integration.h"

struct integration builtin_integration(void);

#endif
