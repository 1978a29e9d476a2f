#ifndef STORE_DISCONNECTS_H
#define STORE_DISCONNECTS_H

/*
 * Pending disconnects of the $disconnect function. A connection's row leaves the
 * table in two steps, so that after any crash in between, a broker finds it:
 *
 *   row --begin, or reap (leases.h)--> OWED --end--> nothing
 *                                       |  \--later--> OWED, due again in a while
 *                                       park --> PARKED --retry--> OWED
 *                                                     \--drop--> nothing
 *
 * The first step fixes the event: time, code and reason stay as they are, whichever broker
 * handles it. It belongs to the broker that claimed it, until the claim expires.
 */

#include "store/connections.h"

struct disconnect {
	struct connection_row row; /* with its id and edge */
	int64_t time_ms;           /* when it ended, since 1970 */
	uint16_t code;             /* 1000 …; 1006: its edge died */
	struct span reason;
	int tries;         /* invocations that have failed */
	struct span error; /* why the last one did; empty: none has */
	bool is_broken;    /* foreign: it cannot be read, and has only id and error */
	struct span raw;   /* then: its bytes, as they are */
};

/* d is borrowed until fn returns, and NULL unless OK. */
typedef void store_disconnect_fn(void *arg, enum err e, const struct disconnect *d);

/*
 * Take the row out of the table and owe its disconnect; it is claimed for claim_ms.
 * Also when there is no such row: Redis may have lost it.
 *
 * d         borrowed until the call returns
 * claim_ms  0: not claimed, it is due at once
 * fn        OK with the pending disconnect: an earlier one's content, if it was begun before (and can
 *           be read; else this one is written over it); ERR_CLAIMED: it is claimed already,
 *           or due later: there is nothing to do
 */
void store_disconnect_begin(struct store *st, const struct disconnect *d,
			    int64_t claim_ms, store_disconnect_fn *fn, void *arg);

/*
 * Claim the due disconnects of an edge: never claimed, the claim expired, or its time
 * has come; broken ones too, which become dead letters.
 *
 * most  at most so many, from 1 to 500
 * fn    ds has n of them
 */
typedef void store_disconnects_fn(void *arg, enum err e, const struct disconnect *ds,
				  size_t n);
void store_disconnect_claim(struct store *st, uint16_t edge, size_t most,
			    int64_t claim_ms, store_disconnects_fn *fn, void *arg);

/* Renew the claims for another claim_ms from now. Those that are not pending any more are skipped. */
void store_disconnect_renew(struct store *st, uint16_t edge, const struct span *ids,
			    size_t n, int64_t claim_ms, store_done_fn *fn, void *arg);

/* The function succeeded. fn: OK; ERR_NOTFOUND when it was not pending (any more). */
void store_disconnect_end(struct store *st, uint16_t edge, struct span id,
			  store_done_fn *fn, void *arg);

/*
 * It failed: write down d's tries and error, and let it be due in wait_ms. For whoever has
 * the claim: if it is not pending (Redis has lost data) it becomes pending again.
 */
void store_disconnect_postpone(struct store *st, const struct disconnect *d,
			       int64_t wait_ms, store_done_fn *fn, void *arg);

/*
 * No more retries: a dead letter for the operator; a broken one with its bytes.
 *
 * most  maximum number of dead letters
 * fn    OK; ERR_TOOBIG: there are so many already, and it was dropped. With another code it
 *       may be a dead letter and pending as well: it is claimed again in its time, and stored once.
 */
void store_dead_letter_add(struct store *st, const struct disconnect *d, int64_t most,
			   store_done_fn *fn, void *arg);

/*
 * Read dead letters, some at a time; cursor and next as in store_connection_scan. Broken
 * ones are among them.
 */
typedef void store_dead_letters_fn(void *arg, enum err e, const struct disconnect *ds,
				   size_t n, uint64_t next);
void store_dead_letters_scan(struct store *st, uint64_t cursor, store_dead_letters_fn *fn,
			     void *arg);

/* The number of dead letters. */
void store_dead_letters_count(struct store *st, store_count_fn *fn, void *arg);

/*
 * Owe it again, due now, with no tries behind it; its edge goes back on the list of
 * store_edges_list. fn: OK; ERR_NOTFOUND when it is no dead letter; ERR_MALFORMED when it
 * cannot be read.
 */
void store_dead_letter_retry(struct store *st, struct span id, store_done_fn *fn,
			     void *arg);

/* Forget it. fn: as above. */
void store_dead_letter_drop(struct store *st, struct span id, store_done_fn *fn,
			    void *arg);

#endif
