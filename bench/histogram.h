#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

/* Microseconds, counted in buckets that are at most 1/64 wide: from 1 µs to over an hour. */

#include <stdint.h>

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_BUCKETS = HISTOGRAM_STEPS * 28 };

struct histogram {
	uint64_t count;
	int64_t most;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t us);

/* Count what another one has counted, too. */
void histogram_merge(struct histogram *h, const struct histogram *other);

/* The time that a share (0.5, 0.99, …) of all stayed within; 0 when there are none. */
int64_t histogram_at(const struct histogram *h, double share);

#endif
