#include "store/eviction.h"

#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { EVERY_MS = 20 };

TestSuite(eviction, .init = store_fixture_init, .fini = store_fixture_fini,
	  .timeout = 60);

struct wanted {
	struct eviction *eviction;
	bool is_allowed;
};

static void look(void *arg)
{
	const struct wanted *w = arg;

	if (eviction_is_allowed(w->eviction) == w->is_allowed)
		loop_stop(fixture.loop);
}

/* Returns when it is so; the fixture's guard ends the test when it never is. */
static void becomes(struct eviction *e, bool is_allowed)
{
	struct wanted w = {e, is_allowed};
	struct timer *t = timer_new(fixture.loop, look, &w);

	timer_every(t, EVERY_MS);
	store_fixture_run(&fixture);
	timer_free(t);
}

Test(eviction, is_seen_when_the_policy_changes)
{
	struct eviction *e =
		eviction_new(fixture.loop, fixture.store, fixture.metrics, EVERY_MS);

	cr_assert(not(eviction_is_allowed(e)));
	store_fixture_redis(&fixture, "CONFIG SET maxmemory-policy volatile-ttl");
	becomes(e, true);
	store_fixture_redis(&fixture, "CONFIG SET maxmemory-policy noeviction");
	becomes(e, false);
	store_fixture_redis(&fixture, "CONFIG SET maxmemory-policy allkeys-lru");
	becomes(e, true);
	eviction_free(e);
}

Test(eviction, is_looked_for_when_redis_can_be_reached)
{
	struct eviction *e = eviction_new(fixture.loop, fixture.store, fixture.metrics,
					  24L * 3600 * 1000);

	store_fixture_redis(&fixture, "CONFIG SET maxmemory-policy allkeys-lru");
	store_fixture_redis(&fixture, "CLIENT KILL TYPE normal");
	becomes(e, true);
	eviction_free(e);
}
