#ifndef REDIS_DIAL_H
#define REDIS_DIAL_H

/*
 * A way to where Redis (or a sentinel) is: a new bufferevent for each attempt, with TLS
 * or without. A name is looked up each time, and its addresses take turns.
 */

#include "redis/tls.h"
#include "redis/url.h"

#include <event2/bufferevent.h>
#include <stdbool.h>

struct redis_dial {
	struct event_base *base;
	struct evdns_base *dns;
	struct redis_tls tls;
	unsigned attempts; /* which of a name's addresses it is; the owner counts them */

	struct bufferevent *bev;     /* of the attempt; NULL: there is none */
	struct redis_lookup *lookup; /* of the attempt; NULL: the address is known */
	struct redis_end end;        /* why it failed before there was a socket */

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
 * returns  true: d->bev is there until redis_dial_stop; false, and why, when that failed at once
 */
must_use bool redis_dial(struct redis_dial *d, const struct redis_url *url,
			 struct redis_end *why);

/* End the attempt, or the connection that came of it. Without one: nothing. */
void redis_dial_stop(struct redis_dial *d);

/* Why the connection ended, for people; what is the bufferevent's. */
void redis_dial_why(const struct redis_dial *d, short what, struct redis_end *out);

#endif
