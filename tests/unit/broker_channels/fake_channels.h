#ifndef TESTS_UNIT_BROKER_CHANNELS_FAKE_CHANNELS_H
#define TESTS_UNIT_BROKER_CHANNELS_FAKE_CHANNELS_H

/* In place of store/channels.c and store_on_up: each question waits until the test answers it, those of a kind in order. */

#include "store/channels.h"

/* A question as it was asked; its texts live until it is answered. */
struct fake_channel_asked {
	bool is_read;
	struct channel_append append; /* its look is that of a read, too */
	struct channel_read read;
};

/* The first that waits; fails the test when there is none, or it is of the other kind. */
const struct fake_channel_asked *fake_channels_append(void);
const struct fake_channel_asked *fake_channels_read(void);

size_t fake_channels_waiting(void);

/* Answer the first append, or the first read; messages: n of them, of offset first on; their time is 5000. */
void fake_channels_appended(enum channel_outcome outcome, const char *epoch,
			    int64_t offset, int64_t time_ms);
void fake_channels_history(const char *epoch, int64_t offset, int64_t base, int64_t first,
			   const char *const *messages, size_t n);
void fake_channels_fail(enum err e); /* the first of either kind */

/* Redis is reached (again). */
void fake_channels_up(void);

void fake_channels_close(void);

#endif
