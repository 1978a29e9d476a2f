#ifndef BROKER_API_CHANNEL_READ_H
#define BROKER_API_CHANNEL_READ_H

/* GET and DELETE /channels/{channel}/history, GET /channels/{channel}/presence. Each answers q, now or later. */

#include "broker/api/channel_api.h"

/* part: the channel in the path. ?limit=, since=EPOCH:OFFSET, until=EPOCH:OFFSET, reverse=true */
void channel_read_history(struct channel_api *c, struct http_request *q,
			  struct span part);

/* ?limit=, cursor= */
void channel_read_presence(struct channel_api *c, struct http_request *q,
			   struct span part);

/* Forget the messages; offsets go on. */
void channel_read_clear(struct channel_api *c, struct http_request *q, struct span part);

#endif
