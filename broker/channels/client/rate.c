#include "broker/channels/client/rate.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
	FULL_MS = 1000, /* after so long any bucket is full */
	SHARE = 1000,   /* tokens are counted in thousandths: a rate's share of one ms */
};

struct bucket {
	TAILQ_ENTRY(bucket) next;
	int64_t used_ms; /* when it was used last */
	int64_t tokens;  /* in thousandths, then */
	size_t n;        /* of key */
	uint8_t key[];   /* the connection, and the namespace */
};

TAILQ_HEAD(bucket_list, bucket);

struct rates {
	size_t most;
	struct map *by_key;
	struct bucket_list used; /* the least recently used first */
};

struct rates *rates_new(size_t most)
{
	struct rates *r = xcalloc(1, sizeof *r);

	r->most = most;
	r->by_key = map_new();
	TAILQ_INIT(&r->used);
	return r;
}

static void forget(struct rates *r, struct bucket *b)
{
	TAILQ_REMOVE(&r->used, b, next);
	map_remove(r->by_key, span_of(b->key, b->n));
	free(b);
}

void rates_free(struct rates *r)
{
	struct bucket *b;

	if (r == NULL)
		return;
	while ((b = TAILQ_FIRST(&r->used)) != NULL)
		forget(r, b);
	map_free(r->by_key);
	free(r);
}

static struct bucket *bucket_new(struct rates *r, struct span key, int64_t per_second,
				 int64_t now_ms)
{
	struct bucket *b = xmalloc(sizeof *b + key.n);

	*b = (struct bucket){.used_ms = now_ms, .tokens = per_second * SHARE, .n = key.n};
	memcpy(b->key, key.p, key.n);
	map_put(r->by_key, span_of(b->key, b->n), b);
	return b;
}

static struct bucket *find(struct rates *r, const struct id *id, struct span name,
			   int64_t per_second, int64_t now_ms)
{
	uint8_t key[ID_BYTES + RATE_NAME_MOST];
	struct span s = span_of(key, ID_BYTES + name.n);
	struct bucket *b;

	assert(name.n <= RATE_NAME_MOST);
	memcpy(key, id->b, ID_BYTES);
	memcpy(key + ID_BYTES, name.p, name.n);
	b = map_find(r->by_key, s);
	if (b != NULL)
		TAILQ_REMOVE(&r->used, b, next);
	else
		b = bucket_new(r, s, per_second, now_ms);
	TAILQ_INSERT_TAIL(&r->used, b, next);
	return b;
}

/* The oldest two at most, so that no publish waits for many. */
static void forget_old(struct rates *r, int64_t now_ms)
{
	for (int i = 0; i < 2; i++) {
		struct bucket *b = TAILQ_FIRST(&r->used);

		if (b == NULL ||
		    (now_ms - b->used_ms < FULL_MS && map_size(r->by_key) <= r->most))
			return;
		forget(r, b);
	}
}

bool rate_allow(struct rates *r, const struct id *id, struct span name,
		int64_t per_second, int64_t now_ms)
{
	struct bucket *b = find(r, id, name, per_second, now_ms);
	int64_t passed = now_ms - b->used_ms;
	bool is_within;

	b->tokens += (passed < FULL_MS ? passed : FULL_MS) * per_second;
	if (b->tokens > per_second * SHARE) /* also when the rate is another one now */
		b->tokens = per_second * SHARE;
	b->used_ms = now_ms;
	is_within = b->tokens >= SHARE;
	if (is_within)
		b->tokens -= SHARE;
	forget_old(r, now_ms);
	return is_within;
}

size_t rates_size(const struct rates *r)
{
	return map_size(r->by_key);
}
