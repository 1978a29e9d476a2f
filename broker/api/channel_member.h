#ifndef BROKER_API_CHANNEL_MEMBER_H
#define BROKER_API_CHANNEL_MEMBER_H

/* PUT and DELETE /@connections/{id}/channels/{channel}: subscribe a connection, and end that. Each answers q, now or later. */

#include "broker/api/channel_api.h"

/*
 * What became of a change.
 *
 * e        OK; ERR_NOTFOUND: no such connection; ERR_BUSY, ERR_DOWN: as of a command
 * failure  with OK: NULL, or why it was refused, borrowed until fn returns
 */
typedef void channel_member_fn(void *arg, enum err e, const struct failure *failure);

/* Subscribe a connection to a channel (VERB_SUBSCRIBE), or end that (VERB_UNSUBSCRIBE). fn is not called from inside. */
void channel_member_change(struct channel_api *c, const struct id *id,
			   enum channel_verb verb, struct span channel,
			   channel_member_fn *fn, void *arg);

/* part: the channel in the path */
void channel_member_put(struct channel_api *c, struct http_request *q,
			const struct id *id, struct span part);
void channel_member_delete(struct channel_api *c, struct http_request *q,
			   const struct id *id, struct span part);

#endif
