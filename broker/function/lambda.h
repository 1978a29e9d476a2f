#ifndef BROKER_FUNCTION_LAMBDA_H
#define BROKER_FUNCTION_LAMBDA_H

/* Where the workers of this broker's functions poll: "ping=127.0.0.1:4001,rooms=127.0.0.1:4002"; freed by the caller. */

#include "broker/broker.h"

char *lambda_addresses(const struct broker *b);

/* They may have changed: tell whoever has started this broker, and starts the workers. */
void lambda_tell(const struct broker *b);

#endif
