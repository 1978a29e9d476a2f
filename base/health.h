#ifndef BASE_HEALTH_H
#define BASE_HEALTH_H

/*
 * A port of its own for those who watch the process: GET /livez, /readyz, /metrics.
 * Live: this loop turns. Ready: what the asked function says. Anything else is 404.
 */

#include "base/err.h"
#include "base/loop.h"
#include "base/metric.h"

struct health;

/* NULL when ready; else a few words that say what is missing ("no broker"), for the 503's body. */
typedef const char *health_ready_fn(void *arg);

/*
 * address  "127.0.0.1:9100"; port 0 takes a free one
 * returns  NULL after an error line when the address cannot be bound
 */
struct health *health_new(struct loop *l, const char *address, struct metrics *m,
			  health_ready_fn *fn, void *arg);
void health_free(struct health *h); /* NULL is fine */

/* "http://127.0.0.1:41231"; lives as long as h. */
const char *health_url(const struct health *h);

#endif
