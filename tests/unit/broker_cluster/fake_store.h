#ifndef TESTS_UNIT_BROKER_CLUSTER_FAKE_STORE_H
#define TESTS_UNIT_BROKER_CLUSTER_FAKE_STORE_H

/*
 * In place of the store: each question waits until the test answers it, with whatever the
 * real one may say. A question that was never answered is forgotten at the end, as
 * store_free forgets it.
 */

#include "proto/id.h"
#include "store/connections.h"
#include "store/leases.h"
#include "store/members.h"

enum fake_question {
	BEAT,
	LEAVE,
	TAKE,
	RENEW,
	FENCE,
	SYNCED,
	LIST,
	LOOK,
	REAP,
	FORGET,
	PUT,
	SCAN,
	SWEEP,
	FIND,
};

enum { FAKE_IDS = 8 };

struct fake_asked {
	enum fake_question what;
	uint16_t edge;
	char boot[65];
	char text
		[300]; /* BEAT: the endpoint; SYNCED: the cluster id; PUT: the stage of the first row */
	char edges[64]; /* BEAT */
	int64_t ms;     /* TAKE, RENEW, BEAT */
	bool sure;      /* TAKE */
	uint64_t cursor;
	size_t n; /* PUT, SWEEP, REAP */
	char ids[FAKE_IDS][ID_TEXT];
};

/* The first question of this kind that waits for its answer; fails the test when there is none. */
const struct fake_asked *fake_store_asked(enum fake_question what);

/* How many of this kind wait. */
size_t fake_store_waiting(enum fake_question what);

/* Answers to the first of their kind. */
void fake_store_done(enum fake_question what, enum err e); /* those without an answer */
void fake_store_number(enum err e, uint16_t number);
void fake_store_view(enum err e, const struct members_view *v);
void fake_store_list(enum err e, const uint16_t *numbers, size_t n);
void fake_store_state(enum err e, const struct edge_state *s);
void fake_store_reaped(enum err e, const struct edge_reaped *r);
void fake_store_rows(enum err e, const char *const *ids, size_t n, uint64_t next);
void fake_store_row(enum err e);

/* Is Redis reachable? And when was it lost last? */
void fake_store_set_up(bool up);
void fake_store_set_lost(int64_t ms);

/* A store, for who wants a pointer. */
struct store *fake_store(void);

void fake_store_close(void);

#endif
