#ifndef BROKER_MANAGEMENT_H
#define BROKER_MANAGEMENT_H

/*
 * The @connections API, as AWS SDKs speak it: POST (push), GET (look), DELETE (close).
 *
 *   /@connections/{id}   /{stage}/@connections/{id}   with @ or %40, = or %3D
 *
 * source  aws: API Gateway developer guide, "Use @connections commands"; service model
 *         apigatewaymanagementapi 2018-11-29
 */

#include "broker/broker.h"

struct management;

/* NULL after an error line when an address of conf.management cannot be bound, or is no loopback address. */
struct management *management_new(struct broker *b);
void management_free(struct management *m); /* NULL is fine */

/* What was bound, with commas; lives as long as m. */
const char *management_addresses(const struct management *m);

#endif
