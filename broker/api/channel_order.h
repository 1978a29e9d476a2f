#ifndef BROKER_API_CHANNEL_ORDER_H
#define BROKER_API_CHANNEL_ORDER_H

/*
 * What the management API is asked to publish:
 *
 *   {"data": …} or {"data64": "…"}, and key, tags, version, user, receipt, channel
 *
 * Other members are ignored; one of another type is an error that names it.
 */

#include "broker/channels/delivery/publish.h"
#include "json/read.h"

enum { CHANNEL_USER_MOST = 1024 }; /* bytes */

struct channel_order {
	struct span channel;            /* empty: not there */
	struct publication publication; /* without namespace and channel */
	uint8_t *text;                  /* what was unescaped or decoded */
};

/*
 * v        has been read as a part of its text, which lives as long as out
 * out      to be closed, whatever this returns
 * returns  NULL; else what is wrong: a sentence
 */
const char *channel_order_read(const struct json_value *v, struct channel_order *out);
void channel_order_close(struct channel_order *o);

#endif
