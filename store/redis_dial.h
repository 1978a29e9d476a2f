#ifndef STORE_REDIS_DIAL_H
#define STORE_REDIS_DIAL_H

/* A way to where Redis (or a sentinel) is: a new bufferevent for each attempt, with TLS or without. */

#include "store/redis_tls.h"
#include "store/redis_url.h"

#include <event2/bufferevent.h>
#include <stdbool.h>

struct redis_dial {
	struct event_base *base;
	struct evdns_base *dns;
	struct redis_tls tls;
	unsigned attempts; /* of which IPv4 and IPv6 take turns; the owner counts them */

	/* for each bufferevent; called from the loop alone */
	bufferevent_data_cb on_readable;
	bufferevent_event_cb on_event;
	void *arg;
};

/* The callbacks are for the owner to set. */
void redis_dial_init(struct redis_dial *d, struct event_base *base,
		     const struct redis_tls *tls);
void redis_dial_close(struct redis_dial *d);

/*
 * Begin to connect; BEV_EVENT_CONNECTED comes when bytes may flow, after TLS's handshake.
 *
 * returns  what bufferevent_free ends; NULL, and why, when that failed at once
 */
must_use struct bufferevent *redis_dial(struct redis_dial *d, const struct redis_url *url,
					struct redis_end *why);

/* Why the connection ended, for people; what is the bufferevent's. */
void redis_dial_why(struct bufferevent *bev, short what, struct redis_end *out);

#endif
