#ifndef BROKER_CHANNELS_CLIENT_RATE_H
#define BROKER_CHANNELS_CLIENT_RATE_H

/*
 * How often a connection may publish in a namespace: a bucket of one second's worth, which fills up
 * again at the rate. Buckets that are full again are forgotten; of too many the one that was used
 * least recently goes first.
 */

#include "base/span.h"
#include "proto/id.h"

struct rates;

enum { RATE_NAME_MOST = 255 }; /* bytes of a namespace's name */

/* most: buckets at a time */
struct rates *rates_new(size_t most);
void rates_free(struct rates *r); /* NULL is fine */

/*
 * One publish of this connection now. False: it is one too many.
 *
 * name       of the namespace
 * per_second from 1
 * now_ms     of loop_now's clock
 */
bool rate_allow(struct rates *r, const struct id *id, struct span name,
		int64_t per_second, int64_t now_ms);

size_t rates_size(const struct rates *r);

#endif
