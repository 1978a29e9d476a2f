#ifndef BROKER_API_CHANNEL_API_H
#define BROKER_API_CHANNEL_API_H

/* What the resources of channels share: what they work with, and the channel that a path names. */

#include "broker/api/pending.h"
#include "broker/channels/client/client.h"
#include "broker/channels/delivery/failure.h"
#include "broker/channels/delivery/interest.h"
#include "broker/channels/presence/presence.h"
#include "broker/channels/delivery/publish.h"
#include "broker/channels/delivery/read.h"

/* All borrowed. */
struct channel_api_uses {
	struct store *store;
	struct commands *commands;
	struct clients *clients;
	struct publishers *publishers;
	struct readers *readers;
	struct presence *presence;
	const struct interest *interest;
	struct routes *(*routes)(void *arg); /* with the configuration in force */
	void *arg;
};

struct channel_api {
	struct channel_api_uses uses;
	struct pendings pendings;
	size_t most; /* messages of one request */
};

/* most: messages of one request */
struct channel_api *channel_api_new(const struct channel_api_uses *uses, size_t most);

/* After the HTTP server: nobody waits any more. Before what it uses. */
void channel_api_free(struct channel_api *c);

/* A channel of a path or body, and its namespace. */
struct channel_target {
	char name[CHANNEL_NAME_MAX + 1];
	size_t n;
	const struct config_namespace *ns; /* until the loop's next turn */
};

struct span channel_api_name(const struct channel_target *t);

/* The channel of this name; NULL, or why there is none: a failure that lives as long as the process. */
const struct failure *channel_api_find(const struct channel_api *c, struct span name,
				       struct channel_target *out);

/* The same for a part of a path, as it came. Answers q, and returns false, when there is none. */
bool channel_api_read(const struct channel_api *c, struct http_request *q,
		      struct span part, struct channel_target *out);

#endif
