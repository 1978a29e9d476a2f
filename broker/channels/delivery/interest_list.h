#ifndef BROKER_CHANNELS_DELIVERY_INTEREST_LIST_H
#define BROKER_CHANNELS_DELIVERY_INTEREST_LIST_H

#include "broker/channels/delivery/interest.h"

/*
 * The channels that edges carry, whose names begin with prefix and are behind `after`, in the
 * order of their bytes: the first n of them. Walks over all channels.
 *
 * out      borrowed until the interest changes
 * returns  how many there are in out
 */
size_t interest_list(const struct interest *in, struct span prefix, struct span after,
		     struct span *out, size_t n);

#endif
