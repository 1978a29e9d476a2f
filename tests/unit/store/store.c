#include "store/store.h"

#include "tests/unit/store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct store *store_with(struct loop *l, const char *url, const char *prefix)
{
	return store_new(l,
			 &(struct store_conf){.redis = url,
					      .prefix = prefix,
					      .timeout_ms = 1000,
					      .max_in_flight = 10},
			 NULL);
}

Test(store, with_a_bad_url_or_prefix_is_refused_at_the_start)
{
	struct loop *l = loop_new();

	cr_assert(store_with(l, "localhost", "gatepost:") == NULL);
	cr_assert(store_with(l, "localhost:1", "gate{post}:") == NULL);
	loop_free(l);
}

Test(store, whose_redis_is_absent_starts_and_is_not_up)
{
	struct loop *l = loop_new();
	struct store *st = store_with(l, "unix:/nowhere/redis.sock", "");

	cr_assert(st != NULL);
	cr_assert(not(store_is_up(st)));
	store_free(st);
	store_free(NULL);
	loop_free(l);
}

static void expect_wrong(struct store_conf c, const char *name, bool is_secret)
{
	struct conf_wrong w = {0};

	cr_assert(not(store_conf_is_right(&c, &w)));
	cr_assert(eq(str, (char *)w.name, (char *)name));
	cr_assert(eq(int, w.is_secret, is_secret));
	cr_assert(w.why[0] != '\0');
}

Test(store, says_which_of_its_settings_is_wrong_and_shows_no_password)
{
	struct store_conf right = {.redis = "unix:/redis.sock", .prefix = "gatepost:"};
	struct conf_wrong w = {0};

	cr_assert(store_conf_is_right(&right, &w));
	right.redis = NULL;
	cr_assert(store_conf_is_right(&right, &w));
	expect_wrong((struct store_conf){.redis = "redis://:pw@", .prefix = ""}, "redis",
		     true);
	expect_wrong((struct store_conf){.cert = "c", .prefix = ""}, "redis-cert", false);
	expect_wrong((struct store_conf){.key = "k", .prefix = ""}, "redis-key", false);
	expect_wrong((struct store_conf){.prefix = "a{b}"}, "redis-prefix", false);
}

struct broker_like {
	int64_t before;
	struct store_conf store;
};

Test(store, has_its_rows_in_a_table_of_settings)
{
	static const struct conf_key keys[] = {
		STORE_CONF_KEYS(struct broker_like, store)};
	struct broker_like conf = {0};
	char why[200];

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].fallback != NULL)
			cr_assert(eq(int,
				     conf_set(&keys[i], &conf, keys[i].fallback, why,
					      sizeof why),
				     OK));
	cr_assert(eq(str, (char *)conf.store.redis, "redis://127.0.0.1:6379"));
	cr_assert(conf.store.ca == NULL && conf.store.cert == NULL &&
		  conf.store.key == NULL);
	cr_assert(eq(str, (char *)conf.store.prefix, "gatepost:"));
	cr_assert(eq(i64, conf.store.timeout_ms, 2000));
	cr_assert(eq(i64, conf.store.max_in_flight, 20000));
}

/* ---- listeners ---- */

static char heard[16];

static void on_up(void *arg)
{
	strcat(heard, arg);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* Cut the connection to Redis, and wait until there is another. Returns who heard of it. */
static const char *reconnect(void)
{
	heard[0] = '\0';
	store_fixture_redis(&fixture, "CLIENT KILL TYPE normal SKIPME yes");
	store_fixture_run(&fixture);
	return heard;
}

Test(store, calls_all_its_listeners_in_order_each_time_it_is_up,
     .init = store_fixture_init, .fini = store_fixture_fini)
{
	store_on_up(fixture.store, on_up, "a");
	store_on_up(fixture.store, on_up, "b");
	store_on_up(fixture.store, on_up, "c");
	store_on_up(fixture.store, stop, fixture.loop);
	cr_assert(eq(str, (char *)reconnect(), "abc"));
	cr_assert(eq(str, (char *)reconnect(), "abc"));
}
