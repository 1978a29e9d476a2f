#ifndef STORE_LEASES_H
#define STORE_LEASES_H

/*
 * Edge numbers (1 to 65535) on lease, and the list of all numbers that may have rows.
 *
 *   FREE --take--> HELD --renew--> HELD
 *                   | ttl over
 *                   v
 *                 EXPIRED --the same boot renews or acquires--> HELD
 *                   | store_edge_reap
 *                   v
 *                 REAPED (its boot never gets it again, nor may put rows)
 *                   | no rows, nothing pending: store_edge_forget
 *                   v
 *                 FREE
 *
 * A boot id is the name of one run of one edge: 1 to 64 characters.
 */

#include "base/span.h"
#include "store/store.h"

/*
 * Take a number.
 *
 * wanted  0: any. A boot tries the same numbers in the same order at every broker, so two brokers
 *         that ask for one edge at the same time get one number. Once it has a number, an edge
 *         wants that one.
 * sure    take a wanted one also when Redis does not know that anybody has ever had it
 * fn      OK with the number; ERR_DENIED: the wanted one is another's, or was another's and
 *         still has rows or presence, or was reaped; ERR_UNKNOWN: Redis does not know the number, so
 *         it may have lost that it was reaped; ERR_NOTFOUND: no free one. number is 0
 *         unless OK.
 */
typedef void store_lease_fn(void *arg, enum err e, uint16_t number);
void store_lease_acquire(struct store *st, const char *boot, uint16_t wanted,
			 int64_t ttl_ms, bool sure, store_lease_fn *fn, void *arg);

/*
 * Renew a number. An expired one that was not reaped or acquired is held again; so
 * is one that Redis no longer knows since it lost its memory.
 *
 * fn  OK; ERR_NOTFOUND: it was reaped meanwhile;
 *     ERR_DENIED: another holds it, or held it since
 */
void store_lease_renew(struct store *st, uint16_t number, const char *boot,
		       int64_t ttl_ms, store_done_fn *fn, void *arg);

/* All numbers that were taken and not forgotten, in rising order: for the reaper and for lists. */
typedef void store_edges_fn(void *arg, enum err e, const uint16_t *numbers, size_t n);
void store_edges_list(struct store *st, store_edges_fn *fn, void *arg);

/* How an edge stands. */
struct edge_state {
	bool held;          /* its lease has not expired */
	int64_t rows;       /* in the table */
	int64_t pending;    /* disconnects */
	bool due;           /* at least one of these may be claimed now */
	struct span synced; /* the cluster id that store_edge_synced wrote; empty: none */
	struct span boot; /* the boot id that holds it, or held it last; empty: unknown */
	bool given_up;    /* from this boot */
	bool present;     /* connections of it may be present in channels */
};
typedef void store_edge_fn(void *arg, enum err e, const struct edge_state *s);
void store_edge_get(struct store *st, uint16_t number, store_edge_fn *fn, void *arg);

/*
 * Reap an expired number: its rows become pending disconnects that are due now
 * (disconnects.h), with code 1006, reason, and the time of this call. What was begun
 * before stays as it is.
 *
 * most  rows at a time, from 1 to 500
 * fn    OK; ERR_DENIED when it is held; r is NULL unless OK
 */
struct edge_reaped {
	int64_t n, left;  /* rows that were moved, rows to go */
	struct span boot; /* the former boot id of the number; empty: unknown */
	bool first; /* the first reap of this number: of all calls for one death, one has that */
};
typedef void store_reap_fn(void *arg, enum err e, const struct edge_reaped *r);
void store_edge_reap(struct store *st, uint16_t number, int most, const char *reason,
		     store_reap_fn *fn, void *arg);

/*
 * The number of this boot was reaped: write it again, for a Redis that may have lost it. What it
 * knows of another boot stays.
 */
void store_edge_fence(struct store *st, uint16_t number, const char *boot,
		      store_done_fn *fn, void *arg);

/* All rows of the edge are in this memory. */
void store_edge_synced(struct store *st, uint16_t number, const char *cluster,
		       store_done_fn *fn, void *arg);

/*
 * Release an expired number without rows, pending disconnects and presence.
 * fn: OK; ERR_DENIED when it is held, or has one of these: left as it is.
 */
void store_edge_forget(struct store *st, uint16_t number, store_done_fn *fn, void *arg);

#endif
