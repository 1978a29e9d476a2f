#ifndef TESTS_UNIT_BROKER_CHANNELS_FAKE_OCCUPANCY_H
#define TESTS_UNIT_BROKER_CHANNELS_FAKE_OCCUPANCY_H

/* In place of store/occupancy.c: a small memory; each question waits until the test lets it be answered. */

#include "store/occupancy.h"

size_t fake_occupancy_waiting(void);

/* Answer all that wait, in their order, from the memory; or with this error, and nothing is done. */
void fake_occupancy_answer(void);
void fake_occupancy_fail(enum err e);

/* Another broker keeps all shards, or nobody does. */
void fake_occupancy_keep(bool by_other);

/* How many shards this broker keeps. */
size_t fake_occupancy_kept(void);

/* Forget all: Redis was emptied. */
void fake_occupancy_clear(void);

/* What is written of the channel: "occupied", "vacated TRIES"; "": nothing. And its event, the last that was written. */
const char *fake_occupancy_text(const char *channel);
const char *fake_occupancy_event(const char *channel);
void fake_occupancy_put(const char *channel, const struct occupancy *is);

/* Forget all, and what waits. */
void fake_occupancy_close(void);

#endif
