#ifndef BROKER_EVENTS_REDELIVERY_H
#define BROKER_EVENTS_REDELIVERY_H

/*
 * Pending disconnects that this broker handles. It renews their claims, so that no other
 * broker handles them too. If the function fails, a disconnect is due again later; after the
 * last try it becomes a dead letter.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "proto/id.h"
#include "store/disconnects.h"

struct redelivery;
struct claim;

struct redelivery_conf {
	int64_t claim_ms; /* how long a claim lasts without renewal */
	int64_t tries;    /* of a $disconnect function, in all */
	int64_t dead_letters_most;
};

/* What redelivery works with; all of it is borrowed until redelivery_free. */
struct redelivery_uses {
	struct loop *loop;
	struct store *store;
	struct metrics *metrics; /* may be NULL */
	/*
	 * A disconnect is due and claimed: call redelivery_keep_claim for d->row.id,
	 * and handle it. False: it is unreadable.
	 */
	bool (*deliver)(void *arg, const struct disconnect *d);
	void *arg;
};

struct redelivery *redelivery_new(const struct redelivery_conf *conf,
				  const struct redelivery_uses *uses);
void redelivery_free(struct redelivery *r); /* NULL is fine; its claims go with it */

/* Claim nothing more: this broker drains. */
void redelivery_stop(struct redelivery *r);

/* How long a claim lasts without renewal. */
int64_t redelivery_claim_ms(const struct redelivery *r);

/* Renew the claim of this connection's disconnect until it is released. */
struct claim *redelivery_keep_claim(struct redelivery *r, const struct id *id);
void redelivery_release_claim(struct claim *k); /* NULL is fine */

/* May this broker handle one more? */
bool redelivery_has_capacity(const struct redelivery *r);

/* Was the claim renewed all the time? Not if this process was stopped: another broker may have it now. */
bool redelivery_has_claim(const struct claim *k);

/*
 * Claim the due disconnects of an edge, as many as this broker may handle, and handle them.
 * returns  false: too many are under way, or another edge's are being claimed; ask again
 */
bool redelivery_claim(struct redelivery *r, uint16_t edge);

/*
 * The function failed for the d->tries-th time: store the time of the next try, or make it a dead letter.
 * fn: as of store_disconnect_postpone and _park; ERR_TOOBIG is reported with redelivery_drop.
 */
void redelivery_defer(struct redelivery *r, const struct disconnect *d, store_done_fn *fn,
		      void *arg);

/* It was the last try, and there are too many dead letters. */
void redelivery_drop(struct redelivery *r);

#endif
