#include "base/backoff.h"

#include <event2/util.h>

enum { FIRST_MS = 1000, MOST_MS = 5 * 60 * 1000 };

int64_t backoff_ms(int tries)
{
	int64_t ms = tries < 10 ? FIRST_MS << (tries - 1) : MOST_MS;
	uint32_t random;

	if (ms > MOST_MS)
		ms = MOST_MS;
	evutil_secure_rng_get_bytes(&random, sizeof random);
	return ms * 3 / 4 + (int64_t)(random % (uint32_t)(ms / 2));
}
