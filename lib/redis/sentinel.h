#ifndef REDIS_SENTINEL_H
#define REDIS_SENTINEL_H

/*
 * Who is the master now? The sentinels of a URL are asked one after the other, each on a
 * connection of its own; the first who knows is believed, until ROLE says otherwise.
 *
 * source  redis.io, "Guidelines for Redis clients with support for Redis Sentinel"
 */

#include "base/loop.h"
#include "redis/end.h"
#include "redis/tls.h"
#include "redis/url.h"

struct redis_sentinel;

/* master is NULL when nobody knows it, and then why says what the last one said. */
typedef void redis_master_fn(void *arg, const struct redis_place *master,
			     const struct redis_end *why);

/*
 * url         with sentinels; borrowed for as long as the object lives
 * timeout_ms  for each of them
 */
struct redis_sentinel *redis_sentinel_new(struct loop *l, const struct redis_url *url,
					  const struct redis_tls *tls, int64_t timeout_ms,
					  redis_master_fn *fn, void *arg);
void redis_sentinel_free(struct redis_sentinel *s); /* NULL is fine */

/*
 * fn is called once, never from inside this call. Each time another one is asked first,
 * so that one who is wrong is not believed for ever.
 */
void redis_sentinel_ask(struct redis_sentinel *s);

#endif
