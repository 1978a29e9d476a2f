#ifndef BROKER_FUNCTION_BUILTIN_H
#define BROKER_FUNCTION_BUILTIN_H

/* Functions that are part of the broker: builtin:echo, builtin:ping and the tutorial's others. */

#include "broker/function/integration.h"

/* The handler of clients' actions on channels: broker/channels/client/client.h handles the messages of its routes. */
#define BUILTIN_CHANNELS "builtin:channels"

struct integration builtin_integration(void);

#endif
