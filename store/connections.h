#ifndef STORE_CONNECTIONS_H
#define STORE_CONNECTIONS_H

/* The connection table: one row for each live socket, kept by edge. */

#include "base/span.h"
#include "store/store.h"

/*
 * A row is JSON in Redis, {"connectedAt":1795343464512,"sourceIp":"10.0.0.7","userAgent":"…",
 * "domainName":"…","stage":"dev"}. What of it cannot be UTF-8 is taken as Latin-1. A text
 * that the row lacks has no bytes.
 *
 * context is what else the connection's events carry (a packed Context, as base64 under
 * "context"), so that its disconnect can be told also when its edge is dead; only
 * connections with an authorizer's word, or with the upgrade's head, have it.
 */
struct connection_row {
	struct span id; /* 16 characters */
	uint16_t edge;
	int64_t connected_at_ms;
	struct span source_ip;
	struct span user_agent;
	struct span domain_name;
	struct span stage;
	struct span context;
	struct span user; /* when it is put: who it is, for users.h; not in the row */
};

/*
 * Put one row, new or over the old one; row is borrowed until the call returns. One whose
 * disconnect is pending already is left out, and that is OK.
 *
 * boot  of the edge, as it has the lease (leases.h)
 * fn    OK; ERR_DENIED: the edge's lease expired, or its number is another's: nothing was written
 */
void store_connection_put(struct store *st, const char *boot,
			  const struct connection_row *row, store_done_fn *fn, void *arg);

/*
 * Put many rows of one edge (after Redis has lost its memory).
 *
 * fn  OK when all were put; ERR_DENIED as above; with any other code some may have been
 */
void store_connection_put_many(struct store *st, uint16_t edge, const char *boot,
			       const struct connection_row *rows, size_t n,
			       store_done_fn *fn, void *arg);

/*
 * Remove one row without a disconnect; also its pending disconnect, if it was begun.
 * fn: OK for the one that removed it; ERR_NOTFOUND when it was gone.
 */
void store_connection_remove(struct store *st, uint16_t edge, struct span id,
			     store_done_fn *fn, void *arg);

/* Remove many rows, and nothing else. fn: OK, also when some were gone. */
void store_connection_sweep(struct store *st, uint16_t edge, const struct span *ids,
			    size_t n, store_done_fn *fn, void *arg);

/* e: OK with the row; ERR_NOTFOUND; row is NULL unless OK. */
typedef void store_connection_fn(void *arg, enum err e, const struct connection_row *row);
void store_connection_find(struct store *st, uint16_t edge, struct span id,
			   store_connection_fn *fn, void *arg);

/* n: the edge's rows; 0 also for an unknown edge. */
typedef void store_count_fn(void *arg, enum err e, int64_t n);
void store_connection_count(struct store *st, uint16_t edge, store_count_fn *fn,
			    void *arg);

/*
 * Read an edge's rows, some at a time.
 *
 * cursor  0 to begin, then the `next` of the answer before
 * next    0: that was all. What stands from beginning to end comes at least once; a row may
 *         come twice. A row whose JSON cannot be read has its id alone (and a log line).
 */
typedef void store_scan_fn(void *arg, enum err e, const struct connection_row *rows,
			   size_t n, uint64_t next);
void store_connection_scan(struct store *st, uint16_t edge, uint64_t cursor,
			   store_scan_fn *fn, void *arg);

#endif
