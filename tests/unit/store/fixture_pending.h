#ifndef TESTS_UNIT_STORE_FIXTURE_PENDING_H
#define TESTS_UNIT_STORE_FIXTURE_PENDING_H

/* Disconnects that are owed by edge 7 of a fixture: begun, claimed, and looked at. */

#include "store/disconnects.h"
#include "tests/unit/store/fixture.h"

enum { OWED_MOST = 32 };

/* A copy of what the store gave. */
struct pending {
	enum err err;
	char id[20];
	uint16_t edge, code;
	int64_t time_ms, connected_at_ms;
	int tries;
	bool is_broken;
	char reason[32], error[32], stage[8], context[8], raw[32];
};

struct pending_list {
	enum err err;
	size_t n;
	struct pending of[OWED_MOST];
	uint64_t next; /* of a scan */
};

/* One whose texts live for ever; its code is 1000, its time 5000. */
struct disconnect pending_one(const char *id);

struct pending pending_begin(struct fixture *b, const struct disconnect *d,
			     int64_t claim_ms);
struct pending_list pending_claim(struct fixture *b, size_t most, int64_t claim_ms);
struct pending_list
pending_dead(struct fixture *b); /* a scan, which is short enough to be one answer */

/* Turn the loop for so long. Redis's own clock decides when something is due, and it cannot be faked. */
void pending_wait(struct fixture *b, int64_t ms);

#endif
