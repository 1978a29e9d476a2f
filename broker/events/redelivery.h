#ifndef BROKER_EVENTS_REDELIVERY_H
#define BROKER_EVENTS_REDELIVERY_H

/*
 * Disconnects that are owed, while this broker is at them: their claims are kept alive,
 * so that no other broker begins with them; those whose function failed are put off, and
 * parked after the last try.
 */

#include "broker/events/call.h"
#include "store/disconnects.h"

struct owed;

struct owed *owed_new(struct broker *b);
void owed_free(struct owed *o); /* NULL is fine; lanes and their calls are gone by then */

/* How long a claim lasts that nobody keeps alive. */
int64_t owed_claim_ms(const struct broker *b);

/* Keep the claim of c alive from now until it is released; a call that is freed is. Both may be called again. */
void owed_hold(struct owed *o, struct call *c);
void owed_release(struct call *c);

/* May another one be under way here? */
bool owed_has_room(const struct owed *o);

/* Has its claim been kept alive all the time? Not when this process was stopped meanwhile: another may have it now. */
bool owed_is_ours(const struct call *c);

/*
 * Claim what an edge owes and is due, as far as there is room, and begin with it.
 * returns  false: not now, there is no room, or another edge's is being claimed
 */
bool owed_claim(struct owed *o, uint16_t edge);

/*
 * The function failed for the d->tries-th time: write down when the next try is, or park it.
 * fn: as of store_disconnect_later and _park.
 */
void owed_put_off(struct owed *o, const struct disconnect *d, store_done_fn *fn,
		  void *arg);

/* It was the last try, and no more can be parked. */
void owed_dropped(struct owed *o);

#endif
