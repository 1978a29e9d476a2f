#ifndef TESTS_UNIT_BROKER_CHANNELS_FAKE_PRESENCE_H
#define TESTS_UNIT_BROKER_CHANNELS_FAKE_PRESENCE_H

/* In place of store/presence.c: each question waits until the test answers it, those of a kind in order. */

#include "store/presence.h"

enum fake_presence {
	PRESENCE_JOIN,
	PRESENCE_LEAVE,
	PRESENCE_EXPIRE,
	PRESENCE_REAP,
	PRESENCE_READ,
	PRESENCE_LIST,
	PRESENCE_IDS,
	PRESENCE_UNLIST,
	PRESENCE_CLAIM,
	PRESENCE_DONE,
};

size_t fake_presence_waiting(enum fake_presence what);

/* What the first of them asks, its arguments with a space between: a join's "room:1 7 u1 {…}"; fails the test when none waits. */
const char *fake_presence_asked(enum fake_presence what);

/* Answer the first JOIN, LEAVE, EXPIRE or REAP. */
void fake_presence_change(enum fake_presence what, const struct presence_change *change);

/* The first READ. */
void fake_presence_page(const struct presence_page *page);

/* The first LIST or IDS; at most one name: NULL for none. */
void fake_presence_names(enum fake_presence what, const char *name);

/* The first CLAIM, with one channel; NULL: none is due. */
void fake_presence_due(const char *channel);

/* The first UNLIST or DONE. */
void fake_presence_done(enum fake_presence what);

/* The first of any kind. */
void fake_presence_fail(enum fake_presence what);

/* Forget what waits. */
void fake_presence_close(void);

#endif
