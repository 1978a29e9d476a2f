#ifndef BROKER_API_CHANNEL_PUBLISH_H
#define BROKER_API_CHANNEL_PUBLISH_H

/* POST /channels/{channel} and POST /channels. Each answers q, now or later. */

#include "broker/api/channel_api.h"

/* One message; part is the channel in the path. */
void channel_publish_one(struct channel_api *c, struct http_request *q, struct span part);

/* {"messages":[{"channel":…,"data":…},…]}, or {"channels":[…],"data":…}: one message to many channels. */
void channel_publish_many(struct channel_api *c, struct http_request *q);

#endif
