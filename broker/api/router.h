#ifndef BROKER_API_ROUTER_H
#define BROKER_API_ROUTER_H

/* Which resource a request of the management API is for. */

#include "broker/api/bulk.h"
#include "broker/api/channel_api.h"
#include "broker/api/disconnects.h"
#include "broker/api/list.h"

/* All borrowed. */
struct router {
	struct http_server *http; /* its memory bounds large answers */
	struct commands *commands;
	struct bulk_limits limits;
	struct list *list;
	struct disconnects *disconnects;
	struct channel_api *channels;
	const char *(*stage)(void *arg);
	void *arg;
};

/* Answers q, now or later. */
void router_route(const struct router *r, struct http_request *q);

#endif
