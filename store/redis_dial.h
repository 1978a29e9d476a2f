#ifndef STORE_REDIS_DIAL_H
#define STORE_REDIS_DIAL_H

/* The way to where Redis is: a Unix socket, or a name that is looked up anew for each attempt. */

#include "store/redis_url.h"

#include <event2/bufferevent.h>
#include <stdbool.h>

struct redis_dial {
	struct event_base *base;
	struct evdns_base *dns;
	unsigned attempts; /* since the last success, which sets it to 0 */
};

void redis_dial_init(struct redis_dial *d, struct event_base *base);
void redis_dial_close(struct redis_dial *d);

/* Begin to connect bev; false when that failed at once, and then no event comes. */
must_use bool redis_dial(struct redis_dial *d, const struct redis_url *url,
			 struct bufferevent *bev);

/* Why the connection ended, for people; what is the bufferevent's. */
const char *redis_dial_why(struct bufferevent *bev, short what);

#endif
