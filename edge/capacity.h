#ifndef EDGE_CAPACITY_H
#define EDGE_CAPACITY_H

/*
 * Is this edge full? Then /readyz says so, and load balancers send new clients to others. Its
 * connections stay. It is full until it has 5 % of its capacity again, so that this does not flap.
 */

#include "base/loop.h"
#include "base/metric.h"
#include "edge/limits.h"

struct capacity;

/* All borrowed until capacity_free. */
struct capacity_uses {
	struct loop *loop;
	struct metrics *metrics; /* may be NULL */
	uint32_t (*connections)(void *arg);
	int64_t (*resident)(
		void); /* bytes of the process, without the kernel's for its sockets */
	void *arg;
};

/* Looks four times a second. given: copied */
struct capacity *capacity_new(const struct limits_given *given,
			      const struct capacity_uses *uses);
void capacity_free(struct capacity *c); /* NULL is fine */

/* NULL, or what is used up; lives as long as c. */
const char *capacity_missing(const struct capacity *c);

#endif
