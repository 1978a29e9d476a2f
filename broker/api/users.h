#ifndef BROKER_API_USERS_H
#define BROKER_API_USERS_H

/*
 * The connections of a user: GET and DELETE /users/{user}, PUT and DELETE
 * /users/{user}/channels/{channel}. Each answers q, now or later, with a page of them:
 *
 *   {"user":"u1","connections":["…"],"failed":["…"],"next":"…"}
 */

#include "broker/api/channel_api.h"

/* user, channel: parts of the path, as they came. */
void users_list(struct channel_api *c, struct http_request *q, struct span user);
void users_close(struct channel_api *c, struct http_request *q, struct span user);
void users_subscribe(struct channel_api *c, struct http_request *q, struct span user,
		     struct span channel);
void users_unsubscribe(struct channel_api *c, struct http_request *q, struct span user,
		       struct span channel);

#endif
