#ifndef BROKER_CHANNELS_CLIENT_FRAME_H
#define BROKER_CHANNELS_CLIENT_FRAME_H

/*
 * The frames that answer a client's actions.
 *
 *   {"type":"ack","id":7,"channel":"room:1","epoch":"…","offset":42}
 *   {"type":"error","id":7,"channel":"room:1","code":"forbidden","message":"…","retryable":false}
 *
 * Each returns one reference. What they get is borrowed.
 */

#include "base/blob.h"
#include "broker/channels/delivery/publish.h"
#include "store/presence.h"

/* Whom an answer is for: the action's id as it was written, and its channel; each may be empty. */
struct frame_head {
	struct span id, channel;
};

struct blob *frame_error(const struct frame_head *h, const struct failure *f);

/* of unsubscribe */
struct blob *frame_ack(const struct frame_head *h);

enum frame_recovered { RECOVERY_NOT_ASKED, RECOVERY_FAILED, RECOVERY_DONE };

/* at: with an empty epoch, the channel has no history */
struct blob *frame_subscribed(const struct frame_head *h, const struct position *at,
			      enum frame_recovered recovered);

/* p: without a failure; receipt: with the counts */
struct blob *frame_published(const struct frame_head *h, const struct published *p,
			     bool receipt);

struct frame_history {
	struct position at;           /* of the channel */
	struct blob *const *messages; /* the frames of messages, in their order */
	size_t n;
	struct position next; /* where to go on; with an empty epoch: that was all */
};

struct blob *frame_history(const struct frame_head *h, const struct frame_history *all);

struct blob *frame_presence(const struct frame_head *h, const struct presence_page *page);

/* of ping */
struct blob *frame_pong(const struct frame_head *h, int64_t time_ms);

#endif
