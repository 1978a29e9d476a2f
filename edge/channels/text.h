#ifndef EDGE_CHANNELS_TEXT_H
#define EDGE_CHANNELS_TEXT_H

/* The frames that an edge writes itself. Each is returned with one reference. */

#include "base/blob.h"

#include <stdint.h>

/* Why a reset: also the label of its counter. */
enum text_reason { TEXT_TRIMMED, TEXT_EPOCH, TEXT_SLOW, TEXT_LOST, TEXT_REASONS };

/* "trimmed", … */
const char *text_reason(enum text_reason why);

/* The subscription goes on behind this position. epoch: empty for a channel without history, which has none. */
struct blob *text_reset(struct span channel, struct span epoch, uint64_t offset,
			enum text_reason why);

struct blob *text_unsubscribed(struct span channel, struct span reason);

/* Who has joined and left: JSON objects. joined and left are absent if joined is NULL. */
struct text_names {
	struct blob **of;
	size_t n;
};
struct blob *text_presence(struct span channel, const struct text_names *joined,
			   const struct text_names *left, uint64_t connections,
			   uint64_t users);

/* The payloads of n text frames as one frame with a JSON array. */
struct blob *text_array(struct blob *const *frames, size_t n);

#endif
