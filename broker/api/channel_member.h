#ifndef BROKER_API_CHANNEL_MEMBER_H
#define BROKER_API_CHANNEL_MEMBER_H

/* PUT and DELETE /@connections/{id}/channels/{channel}: subscribe a connection, and end that. Each answers q, now or later. */

#include "broker/api/channel_api.h"

/* part: the channel in the path */
void channel_member_put(struct channel_api *c, struct http_request *q,
			const struct id *id, struct span part);
void channel_member_delete(struct channel_api *c, struct http_request *q,
			   const struct id *id, struct span part);

#endif
