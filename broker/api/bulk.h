#ifndef BROKER_API_BULK_H
#define BROKER_API_BULK_H

/* POST /@connections: one message to many connections. */

#include "broker/cluster/commands.h"
#include "http/server.h"

struct bulk_limits {
	size_t max_post; /* bytes of the message */
	size_t max_bulk; /* ids */
};

/* Send the body's message to the body's ids; answers q, now or later. */
void bulk_post(struct commands *to, const struct bulk_limits *most,
	       struct http_request *q);

#endif
