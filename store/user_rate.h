#ifndef STORE_USER_RATE_H
#define STORE_USER_RATE_H

/* How often a user may publish in a namespace, counted in the store for all brokers. */

#include "base/span.h"
#include "store/store.h"

/*
 * One publish of this user now. Each second of the store's clock has its own count.
 *
 * user, name  1 to 255 bytes; name: of the namespace
 * fn          OK: is_within says whether it is one of the first per_second of this second
 */
typedef void store_rate_fn(void *arg, enum err e, bool is_within);
void store_user_rate(struct store *st, struct span user, struct span name,
		     int64_t per_second, store_rate_fn *fn, void *arg);

#endif
