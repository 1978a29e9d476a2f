#ifndef CONFIG_NAMESPACES_H
#define CONFIG_NAMESPACES_H

/*
 * The namespaces of channels, from gatepost.channels:
 *
 *   gatepost:
 *     channels:
 *       room:
 *         history: { size: 1000, ttl: 10m, bytes: 4MiB }   # absent: none
 *         recover: stream                    # or cache; with history alone
 *         presence: { members: true, events: 1s, grace: 5s }   # absent: none
 *         subscribe: authenticated           # who may (channel_access.h)
 *         publish: nobody
 *         token: NAME                        # of gatepost.authorizers, or { algorithm, key | keyFile }
 *         format: message                    # or raw
 *         slow: disconnect                   # or drop-oldest, latest
 *         limits: { message: 64KiB, subscriptions: 100, rate: 20/s, userRate: 100/s }
 *         keyTtl: 5m                         # how long an idempotency key is remembered
 */

#include "config/channels.h"
#include "config/value.h"

/* The defaults. */
enum {
	NAMESPACE_TTL_MS = 10 * 60 * 1000,
	NAMESPACE_HISTORY_BYTES = 4 << 20,
	NAMESPACE_EVENTS_MS = 1000,
	NAMESPACE_GRACE_MS = 5000,
	NAMESPACE_MESSAGE = 64 << 10,
	NAMESPACE_SUBSCRIPTIONS = 100,
	NAMESPACE_KEY_MS = 5 * 60 * 1000,
};

/* Nobody publishes, users subscribe, nothing is kept. Takes name. */
struct config_namespace namespaces_default(char *name);

/* Read reading.channels, once the drafts and gatepost.authorizers are there. */
void namespaces_read(struct reading *r);

/* Find a namespace by its name among those of the configuration; NULL after an error line. */
struct config_namespace *namespaces_find(struct reading *r, const struct value *name);

/* Free what the configuration has of them. */
void namespaces_free(struct config *c);

#endif
