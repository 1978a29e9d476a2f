#ifndef STORE_LEASES_H
#define STORE_LEASES_H

/*
 * Edge numbers (1 to 65535) on lease, and the list of all numbers that may have rows.
 *
 *   FREE --take--> HELD --renew--> HELD
 *                   | ttl over
 *                   v
 *                 LAPSED --the same boot renews or takes--> HELD
 *                   | store_edge_reap
 *                   v
 *                 REAPED (its boot never gets it again, nor may put rows)
 *                   | no rows and nothing owed: store_edge_forget
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
 * wanted  0: any. A boot tries the same numbers in the same order whoever asks, so two brokers
 *         that ask for one edge at the same time get one number. Once it has a number, an edge
 *         wants that one.
 * sure    take a wanted one also when Redis does not know that anybody has ever had it
 * fn      OK with the number; ERR_DENIED: the wanted one is another's, or was another's and
 *         still has rows, or was given up; ERR_UNKNOWN: nobody is known to have had it, so
 *         Redis may have lost that it was given up; ERR_NOTFOUND: no free one. number is 0
 *         unless OK.
 */
typedef void store_lease_fn(void *arg, enum err e, uint16_t number);
void store_lease_take(struct store *st, const char *boot, uint16_t wanted, int64_t ttl_ms,
		      bool sure, store_lease_fn *fn, void *arg);

/*
 * Keep a number. One that lapsed, and that nobody has reaped or taken, is held again; so
 * is one that Redis no longer knows since it lost its memory.
 *
 * fn  OK; ERR_NOTFOUND: it was reaped meanwhile (its connections were given up);
 *     ERR_DENIED: another holds it, or held it since
 */
void store_lease_renew(struct store *st, uint16_t number, const char *boot,
		       int64_t ttl_ms, store_done_fn *fn, void *arg);

/* All numbers that were taken and not forgotten, in rising order: for the reaper and for lists. */
typedef void store_edges_fn(void *arg, enum err e, const uint16_t *numbers, size_t n);
void store_edges_list(struct store *st, store_edges_fn *fn, void *arg);

/* How an edge stands. */
struct edge_state {
	bool held;          /* its lease has not lapsed */
	int64_t rows;       /* in the table */
	int64_t owed;       /* disconnects */
	bool due;           /* at least one of these may be claimed now */
	struct span synced; /* the cluster id that store_edge_synced wrote; empty: none */
	struct span boot;   /* who holds it, or held it last; empty: nobody known */
	bool given_up;      /* from this boot */
};
typedef void store_edge_fn(void *arg, enum err e, const struct edge_state *s);
void store_edge_look(struct store *st, uint16_t number, store_edge_fn *fn, void *arg);

/*
 * Give up a lapsed number: its rows become disconnects that are owed and due now
 * (disconnects.h), with code 1006, reason, and the time of this call. What was begun
 * before stays as it is.
 *
 * most  rows at a time, from 1 to 500
 * fn    OK; ERR_DENIED when it is held; r is NULL unless OK
 */
struct edge_reaped {
	int64_t n, left;  /* rows that were moved, rows to go */
	struct span boot; /* whom the number was taken from; empty: nobody knows */
	bool first; /* nobody has given it up before: of all calls for one death, one has that */
};
typedef void store_reap_fn(void *arg, enum err e, const struct edge_reaped *r);
void store_edge_reap(struct store *st, uint16_t number, int most, const char *reason,
		     store_reap_fn *fn, void *arg);

/*
 * The number was given up by this boot: said again, for a memory that may not know. What it
 * knows of another boot stays.
 */
void store_edge_fence(struct store *st, uint16_t number, const char *boot,
		      store_done_fn *fn, void *arg);

/* All rows of the edge are in this memory. */
void store_edge_synced(struct store *st, uint16_t number, const char *cluster,
		       store_done_fn *fn, void *arg);

/*
 * Forget a lapsed number that has no rows and owes nothing.
 * fn: OK; ERR_DENIED when it is held, has rows or owes: left as it is.
 */
void store_edge_forget(struct store *st, uint16_t number, store_done_fn *fn, void *arg);

#endif
