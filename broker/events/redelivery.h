#ifndef BROKER_EVENTS_REDELIVERY_H
#define BROKER_EVENTS_REDELIVERY_H

/*
 * Disconnects that are pending in the store, while this broker is at them: their claims
 * are kept alive, so that no other broker begins with them. Those whose function failed are
 * due again some time later, and dead letters after the last try.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "proto/id.h"
#include "store/disconnects.h"

struct redelivery;
struct claim;

struct redelivery_conf {
	int64_t claim_ms; /* how long a claim lasts that nobody keeps alive */
	int64_t tries;    /* of a $disconnect function, in all */
	int64_t dead_letters_most;
};

/* What redelivery works with; all of it is borrowed until redelivery_free. */
struct redelivery_uses {
	struct loop *loop;
	struct store *store;
	struct metrics *metrics; /* may be NULL */
	/*
	 * A disconnect is due and claimed: take d->row.id's claim with redelivery_keep_claim,
	 * and begin. False: no function could read it, whoever tries.
	 */
	bool (*deliver)(void *arg, const struct disconnect *d);
	void *arg;
};

struct redelivery *redelivery_new(const struct redelivery_conf *conf,
				  const struct redelivery_uses *uses);
void redelivery_free(struct redelivery *r); /* NULL is fine; its claims go with it */

/* Claim nothing more: this broker drains. */
void redelivery_stop(struct redelivery *r);

/* How long a claim lasts that nobody keeps alive. */
int64_t redelivery_claim_ms(const struct redelivery *r);

/* Keep the claim of this connection's disconnect alive from now until it is released. */
struct claim *redelivery_keep_claim(struct redelivery *r, const struct id *id);
void redelivery_release_claim(struct claim *k); /* NULL is fine */

/* May another one be under way here? */
bool redelivery_has_capacity(const struct redelivery *r);

/* Has the claim been kept alive all the time? Not when this process was stopped meanwhile: another may have it now. */
bool redelivery_has_claim(const struct claim *k);

/*
 * Claim what is pending of an edge and due, as far as there is room, and begin with it.
 * returns  false: not now, there is no room, or another edge's is being claimed
 */
bool redelivery_claim(struct redelivery *r, uint16_t edge);

/*
 * The function failed for the d->tries-th time: write down when the next try is, or make it a dead letter.
 * fn: as of store_disconnect_postpone and _park; ERR_TOOBIG is reported with redelivery_drop.
 */
void redelivery_defer(struct redelivery *r, const struct disconnect *d, store_done_fn *fn,
		      void *arg);

/* It was the last try, and there is no room for another dead letter. */
void redelivery_drop(struct redelivery *r);

#endif
