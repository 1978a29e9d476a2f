#ifndef BROKER_API_ROUTER_H
#define BROKER_API_ROUTER_H

/*
 * The @connections API and ours beside it, with or without the stage in front (and '@' as %40):
 *
 *   POST   /@connections/{id}   send the body: as text when it is UTF-8, as binary when it is
 *                               not, or when X-Gatepost-Binary: true says so
 *   GET    /@connections/{id}   when it connected, who it is, when it was last active
 *   DELETE /@connections/{id}   close it; ?code=4001&reason=… instead of 1000
 *   POST   /@connections        {"connectionIds":["…"],"data":"…"} or "data64": one message to many
 *   GET    /@connections        the table, ?limit=1000&cursor=…
 *
 * and, for disconnects that are parked since their function failed too often:
 *
 *   GET    /@disconnects        what is parked, ?cursor=…
 *   POST   /@disconnects/{id}   give it to the function again
 *   DELETE /@disconnects/{id}   forget it
 *   POST, DELETE /@disconnects?all=true   the same for all, some at a time: ?cursor=…
 *
 * Statuses, error header and bodies are those of API Gateway, so that its SDKs work;
 * docs/management.md tells all of it.
 */

#include "broker/broker.h"

struct management;

/* NULL after an error line when conf.management cannot be bound, or who may ask is not right. */
struct management *management_new(struct broker *b);
void management_free(struct management *m); /* NULL is fine */

/* What was bound, with commas, for those who want to reach it; lives as long as m. */
const char *management_addresses(const struct management *m);

#endif
