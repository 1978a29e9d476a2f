#ifndef REDIS_SENTINEL_H
#define REDIS_SENTINEL_H

/*
 * Which server is the master now? The sentinels of a URL are asked one after the other, each on a
 * connection of its own; the first one that knows the master is used, unless ROLE contradicts it.
 *
 * source  redis.io, "Guidelines for Redis clients with support for Redis Sentinel"
 */

#include "base/loop.h"
#include "redis/end.h"
#include "redis/tls.h"
#include "redis/url.h"

struct redis_sentinel;

/* master is NULL if no sentinel knows it; then why has the reply of the last one. */
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
 * so that a wrong one is not used for ever.
 */
void redis_sentinel_ask(struct redis_sentinel *s);

#endif
