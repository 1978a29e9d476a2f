#ifndef TESTS_UNIT_BROKER_API_FAKE_STORE_H
#define TESTS_UNIT_BROKER_API_FAKE_STORE_H

/* Stands in for the store: questions wait here, in the order in which they were asked, until a test answers them. */

#include "store/connections.h"
#include "store/disconnects.h"
#include "store/leases.h"
#include "store/users.h"

enum { QUESTIONS_MOST = 64 };

enum question_kind {
	ASKS_NOTHING,
	ASKS_EDGES,
	ASKS_COUNT,
	ASKS_ROWS,
	ASKS_DEAD_LETTERS,
	ASKS_RETRY,
	ASKS_DROP,
	ASKS_USER,
	ASKS_ROW,
};

struct question {
	enum question_kind kind;
	uint16_t edge;
	uint64_t cursor;
	char id[20];
	void (*fn)(void); /* by its kind */
	void *arg;
};

struct store {
	struct question all[QUESTIONS_MOST];
	size_t n, answered;
	char forgotten[64]; /* the last of store_user_remove: "user id" */
};

extern struct store fake_store;

/* The question that is to be answered next; it must be of this kind. */
const struct question *fake_store_next(enum question_kind kind);

/* Answer it. */
void fake_store_edges(enum err e, const uint16_t *numbers, size_t n);
void fake_store_count(enum err e, int64_t n);
void fake_store_rows(enum err e, const struct connection_row *rows, size_t n,
		     uint64_t next);
void fake_store_dead_letters(enum err e, const struct disconnect *ds, size_t n,
			     uint64_t next);
void fake_store_user(enum err e, const struct span *ids, size_t n, uint64_t next);
void fake_store_row(enum err e);
void fake_store_done(enum question_kind kind, enum err e);

#endif
