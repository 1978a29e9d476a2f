#include "store/store.h"

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
