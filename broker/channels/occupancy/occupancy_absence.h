#ifndef BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_ABSENCE_H
#define BROKER_CHANNELS_OCCUPANCY_OCCUPANCY_ABSENCE_H

/*
 * Does this broker know the channels of all edges? Then a channel that is not carried here has no subscriber in the
 * cluster. An edge that is not linked counts until it is reaped, or its lease is over and no connection of it is left.
 */

#include "broker/channels/delivery/interest.h"

struct occupancy_absence;

/* Both are borrowed until occupancy_absence_free. */
struct occupancy_absence *occupancy_absence_new(struct store *st,
						const struct interest *in);

/* After store_free; no fn is called any more. NULL is fine. */
void occupancy_absence_free(struct occupancy_absence *a);

/*
 * Ask the store for the edges. False: not now (it is asked already, or the interest is not complete), and fn is not
 * called.
 *
 * all_known  of what the interest did not have when this was called, and does not have now, there is no subscriber
 */
typedef void occupancy_absence_fn(void *arg, bool all_known);
bool occupancy_absence_check(struct occupancy_absence *a, occupancy_absence_fn *fn,
			     void *arg);

#endif
