#ifndef BROKER_API_MANAGEMENT_H
#define BROKER_API_MANAGEMENT_H

/*
 * The @connections API of AWS, and Gatepost's additions, with or without the stage in front (and '@' as %40):
 *
 *   POST   /@connections/{id}   send the body: as text when it is UTF-8, as binary when it is
 *                               not, or with X-Gatepost-Binary: true
 *   GET    /@connections/{id}   when it connected, its identity, when it was last active
 *   DELETE /@connections/{id}   close it; ?code=4001&reason=… instead of 1000
 *   POST   /@connections        {"connectionIds":["…"],"data":"…"} or "data64": one message to many
 *   GET    /@connections        the table, ?limit=1000&cursor=…
 *
 * and, for disconnects whose function failed too often (dead letters):
 *
 *   GET    /@disconnects        list them, ?cursor=…
 *   POST   /@disconnects/{id}   give it to the function again
 *   DELETE /@disconnects/{id}   forget it
 *   POST, DELETE /@disconnects?all=true   the same for all, some at a time: ?cursor=…
 *
 * and, for channels:
 *
 *   POST   /channels/{channel}  {"data":…}: publish
 *   POST   /channels            {"messages":[{"channel":"…","data":…}]}, {"channels":["…"],"data":…}
 *   GET    /channels            those that have subscribers, ?prefix=…&cursor=…&limit=100
 *   GET, DELETE /channels/{channel}/history
 *   GET    /channels/{channel}/presence
 *   PUT, DELETE /@connections/{id}/channels/{channel}   subscribe a connection, and end that
 *   GET, DELETE /users/{user}   list a user's connections, and close them
 *   PUT, DELETE /users/{user}/channels/{channel}   subscribe them, and end that
 *
 * and, for tables (broker/api/tables.h): POST /
 *
 * and, for edges: GET /edges, POST /edges/{edge}/shed?connections=N
 *
 * Statuses, error header and bodies are those of API Gateway, so that its SDKs work;
 * docs/management.md has all of it.
 */

#include "base/metric.h"
#include "broker/api/auth.h"
#include "broker/api/channel_api.h"
#include "broker/cluster/commands.h"
#include "store/store.h"
#include "tables/tables.h"

struct management;

struct management_conf {
	const char *addresses; /* to listen at, with commas, at most 8 */
	const char *
		hosts; /* allowed in Host without authentication, beside those of loopback and addresses; NULL: none */
	struct auth_conf auth;
	size_t connections, requests; /* at a time */
	uint64_t memory;              /* bytes of all requests and answers */
	int64_t timeout_ms;
	size_t max_post, max_bulk; /* bytes of a message, ids of one request */
};

/* All borrowed until management_free. */
struct management_uses {
	struct loop *loop;
	struct metrics *metrics;
	struct store *store;
	struct commands *commands;
	struct tables *tables;
	struct channel_api_uses channels;
	const char *(*stage)(void *arg); /* below which paths may stand */
	void *arg;
};

/*
 * conf     copied; its texts live as long as m
 * returns  NULL after an error line when an address cannot be bound, or credentials are wrong
 */
struct management *management_new(const struct management_conf *conf,
				  const struct management_uses *uses);

/* Before the store and the commands, but after the tables. NULL is fine. */
void management_free(struct management *m);

/* The bound addresses, with commas; lives as long as m. */
const char *management_addresses(const struct management *m);

#endif
