#ifndef TESTS_UNIT_BROKER_EVENTS_FAKE_STORE_H
#define TESTS_UNIT_BROKER_EVENTS_FAKE_STORE_H

/*
 * In place of the store: each question waits until the test answers it, with whatever the
 * real one may answer. A question that was never answered is forgotten at the end, as
 * store_free forgets it.
 */

#include "proto/id.h"
#include "store/disconnects.h"

enum fake_question { PUT, REMOVE, BEGIN, CLAIM, HOLD, END, LATER, PARK, COUNT };

struct fake_asked {
	enum fake_question what;
	uint16_t edge;
	char id[ID_TEXT]; /* HOLD: the first */
	char boot[20];    /* PUT */
	char stage[20];   /* PUT, BEGIN, LATER */
	char source_ip[20];
	char text[100]; /* BEGIN: the reason; LATER, PARK: the error */
	int64_t ms; /* BEGIN, CLAIM, HOLD: of the claim; LATER: the wait; PARK: the most */
	int64_t time_ms;
	uint16_t code;
	int tries;
	size_t n; /* HOLD: ids; CLAIM: at most so many */
};

/* The first question of this kind that waits for its answer; fails the test when there is none. */
const struct fake_asked *fake_store_asked(enum fake_question what);

/* How many of this kind, and of all kinds, wait. */
size_t fake_store_waiting(enum fake_question what);
size_t fake_store_pending(void);

/* Answers to the first of their kind. */
void fake_store_done(enum fake_question what, enum err e); /* those without an answer */
void fake_store_begun(enum err e, const struct disconnect *d); /* d: NULL unless OK */
void fake_store_claimed(enum err e, const struct disconnect *ds, size_t n);
void fake_store_counted(enum err e, int64_t n);

/* The users whose connection has been taken from them, "me;you;". */
const char *fake_store_forgotten(void);

/* Is Redis reachable? */
void fake_store_set_up(bool up);

/* A store, for who wants a pointer. */
struct store *fake_store(void);

void fake_store_close(void);

#endif
