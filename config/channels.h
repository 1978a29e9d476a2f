#ifndef CONFIG_CHANNELS_H
#define CONFIG_CHANNELS_H

/*
 * Namespaces of channels: gatepost.channels of the configuration. The namespace of a
 * channel is the part of its name before the first ':'; without one, "default".
 *
 *   gatepost:
 *     channels:
 *       room:
 *         history: { size: 1000, ttl: 10m, bytes: 4MiB }
 *         recover: stream
 *         presence: { members: true, events: 1s, grace: 5s }
 *         subscribe: authenticated
 *         publish: nobody
 */

#include "base/span.h"
#include "config/config.h"

/* Who may subscribe, or publish. */
enum channel_rule {
	CHANNEL_ANYONE,
	CHANNEL_AUTHENTICATED, /* who is a user */
	CHANNEL_TOKEN,         /* who has a JWT that names the channel */
	CHANNEL_NOBODY,        /* only the management API and functions */
	CHANNEL_CONTEXT, /* whom the authorizer's context value `name` allows this channel */
	CHANNEL_FUNCTION, /* whom the function `function` allows */
};

struct channel_access {
	enum channel_rule rule;
	char *name;      /* CONTEXT: the key of the authorizer's context */
	size_t function; /* FUNCTION: index */
};

enum channel_recover { CHANNEL_STREAM, CHANNEL_CACHE };
enum channel_format { CHANNEL_MESSAGE, CHANNEL_RAW };
enum channel_slow { CHANNEL_DISCONNECT, CHANNEL_DROP_OLDEST, CHANNEL_LATEST };

/* What a webhook is invoked for (bits). */
enum channel_on {
	CHANNEL_ON_SUBSCRIBE = 1,
	CHANNEL_ON_UNSUBSCRIBE = 2,
	CHANNEL_ON_PUBLISH = 4,
	CHANNEL_ON_OCCUPIED = 8,
	CHANNEL_ON_VACATED = 16,
};

struct config_namespace {
	char *name;
	struct {
		int64_t size;   /* messages; 0: no history */
		int64_t ttl_ms; /* also that of positions, keys and versions; 10 min */
		int64_t bytes;  /* 4 MiB */
	} history;
	enum channel_recover recover; /* default of a subscribe */
	struct {
		bool members;
		int64_t events_ms; /* coalescing interval; 0: no frames */
		int64_t grace_ms;
	} presence;
	struct channel_access subscribe, publish;
	int token_authorizer; /* a JWT authorizer, whose key and algorithm tokens have; CONFIG_NONE: there is none */
	enum channel_format format;
	enum channel_slow slow;
	struct {
		int64_t message;       /* bytes of data; 64 KiB */
		int64_t subscriptions; /* of a connection, in this namespace; 100 */
		int64_t rate;          /* publishes of a connection in a second; 0: any */
		int64_t user_rate;     /* of a user, in the whole cluster; 0: any */
	} limits;
	int64_t key_ms;   /* how long an idempotency key is remembered; 5 min */
	int hook;         /* function of the webhook, or CONFIG_NONE */
	unsigned hook_on; /* of enum channel_on */
	int line;
};

/* The namespace of this channel; NULL: there is none. */
const struct config_namespace *config_namespace(const struct config *c,
						struct span channel);

/* May this be a channel: 1 to 255 bytes of UTF-8 without control characters, '*', '{' and '}'? */
bool channel_name_ok(struct span channel);

#endif
