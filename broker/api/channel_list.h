#ifndef BROKER_API_CHANNEL_LIST_H
#define BROKER_API_CHANNEL_LIST_H

/* GET /channels?prefix=&cursor=&limit=: the channels that have subscribers, in the order of their names. */

#include "broker/api/channel_api.h"

/* Answers q, now or later. */
void channel_list_get(struct channel_api *c, struct http_request *q);

#endif
