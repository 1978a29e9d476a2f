#ifndef BROKER_CHANNELS_DELIVERY_MESSAGE_H
#define BROKER_CHANNELS_DELIVERY_MESSAGE_H

/*
 * The texts of a publication. History keeps the tail; the frame that clients get is made of
 * it and the position.
 *
 *   tail   {"data":…,"tags":{…},"user":"u1"}
 *   frame  {"type":"message","channel":"room:1","offset":42,"epoch":"…","time":1700000000000,"data":…,…}
 */

#include "base/blob.h"
#include "broker/channels/delivery/publish.h"

/* Tags, unescaped. */
struct message_tags {
	size_t n;
	struct channel_tag at[CHANNEL_TAGS];
	struct blob *text; /* what the spans point into; NULL: n is 0 */
};

/* One reference, as of all blobs here. Binary data is data64 in it. */
struct blob *message_tail(const struct publication *q);

/* position without epoch: the channel has no history, and the frame no position. */
struct blob *message_frame(struct span channel, struct position position, int64_t time_ms,
			   struct span tail);

/* What clients of a raw namespace get: the data; a JSON string without its quotes and escapes. */
struct blob *message_raw(const struct publication *q);

/* The tags of a publication, and those of a tail: more than CHANNEL_TAGS, and what is no text, are left out. */
void message_tags_of(const struct publication *q, struct message_tags *out);
void message_tags(struct span tail, struct message_tags *out);
void message_tags_close(struct message_tags *t);

#endif
