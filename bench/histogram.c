#include "bench/histogram.h"

/* Below 128 a bucket is one microsecond; above, each power of two has 64 of them. */
static unsigned bucket_of(uint64_t us)
{
	if (us < 2 * HISTOGRAM_STEPS)
		return (unsigned)us;

	unsigned shift = 57 - (unsigned)__builtin_clzll(us); /* leaves 7 bits */
	unsigned bucket = shift * HISTOGRAM_STEPS + (unsigned)(us >> shift);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The longest time that falls into the bucket. */
static int64_t longest_in(unsigned bucket)
{
	if (bucket < 2 * HISTOGRAM_STEPS)
		return bucket;

	unsigned shift = bucket / HISTOGRAM_STEPS - 1;
	uint64_t first = (uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift;
	return (int64_t)(first + (1ull << shift) - 1);
}

void histogram_add(struct histogram *h, int64_t us)
{
	uint64_t v = us < 0 ? 0 : (uint64_t)us;

	h->count++;
	h->buckets[bucket_of(v)]++;
	if ((int64_t)v > h->most)
		h->most = (int64_t)v;
}

void histogram_merge(struct histogram *h, const struct histogram *other)
{
	h->count += other->count;
	if (other->most > h->most)
		h->most = other->most;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		h->buckets[i] += other->buckets[i];
}

int64_t histogram_at(const struct histogram *h, double share)
{
	double seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += (double)h->buckets[i];
		if (h->buckets[i] > 0 && seen >= share * (double)h->count)
			return longest_in(i) < h->most ? longest_in(i) : h->most;
	}
	return 0;
}
