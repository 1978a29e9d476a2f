#ifndef HTTP_HEALTH_H
#define HTTP_HEALTH_H

/*
 * A port for probes and Prometheus: GET /livez, /readyz, /metrics.
 * Live: this loop turns. Ready: what the asked function says. Anything else is 404.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "base/ready.h"

struct health;

/*
 * fn       asked for /readyz; what is missing is the body of the 503. NULL: always ready
 * address  "127.0.0.1:9100"; port 0 takes a free one
 * returns  NULL after an error line when the address cannot be bound
 */
struct health *health_new(struct loop *l, const char *address, struct metrics *m,
			  ready_fn *fn, void *arg);
void health_free(struct health *h); /* NULL is fine */

/* "http://127.0.0.1:41231"; lives as long as h. */
const char *health_url(const struct health *h);

#endif
