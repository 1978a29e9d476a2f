#ifndef BROKER_PAYLOAD_ACTION_H
#define BROKER_PAYLOAD_ACTION_H

/* One thing that an edge does for the client of an event. */

#include "broker/payload/result.h"
#include "proto/batch.h"
#include "store/channels.h"

#include <proto/gatepost.pb-c.h>

struct action {
	enum action_kind {
		ACTION_RESPONSE, /* CONNECT, HTTP, as the first: status, headers, body */
		ACTION_FRAME,    /* MESSAGE, and CONNECT behind a 2xx: body, binary */
		ACTION_CLOSE,    /* likewise, as the last: code; body is the reason */
		ACTION_ACTIVATE, /* where a frame may be: channel, position, missed */
		ACTION_UNSUBSCRIBE, /* likewise: channel */
	} kind;
	int status;
	const struct result_header *headers;
	size_t n_headers;
	struct span body;
	bool binary;
	uint16_t code;
	struct span channel;
	const struct action_activate *activate;
};

/* A pending subscription goes live. */
struct action_activate {
	struct position
		position; /* behind the missed ones; with an empty epoch, the channel has no history */
	Gatepost__Publication *const
		*missed; /* in the order of their offsets, without a hole */
	size_t n_missed;
};

/* Actions for an item of out, in its memory; NULL when there are none. */
Gatepost__Action **action_pack(struct batch *out, const struct action *actions, size_t n);

#endif
