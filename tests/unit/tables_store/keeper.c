#include "tables/store/keeper.h"

#include "base/clock.h"
#include "tests/unit/tables_store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(keeper, .init = tables_fixture_init, .fini = tables_fixture_fini,
	  .timeout = 60);

static const char sessions[] =
	"{\"TableName\":\"sessions\",\"KeySchema\":[{\"AttributeName\":\"id\","
	"\"KeyType\":"
	"\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
	"\"AttributeType\":"
	"\"S\"},{\"AttributeName\":\"user\",\"AttributeType\":\"S\"}],"
	"\"TimeToLiveSpecification\":{\"Enabled\":true,\"AttributeName\":\"ttl\"},"
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-user\",\"KeySchema\":[{"
	"\"AttributeName\":\"user\",\"KeyType\":\"HASH\"}],\"Projection\":{"
	"\"ProjectionType\":\"ALL\"}}]}";

#define redis(...) ((char *)(uintptr_t)tables_fixture_redis(__VA_ARGS__))

static void put(const struct table *t, const char *id, int64_t ttl)
{
	char text[128];

	snprintf(
		text, sizeof text,
		"{\"id\":{\"S\":\"%s\"},\"ttl\":{\"N\":\"%lld\"},\"user\":{\"S\":\"u\"}}",
		id, (long long)ttl);
	cr_assert(eq(int, tables_fixture_put(t, text, NULL).outcome, ITEMS_WRITTEN));
}

/* Wait until no key of the pattern is there. */
static void wait_until_gone(const char *pattern, const char *id)
{
	while (strcmp(redis(pattern, id), "0") != 0)
		tables_fixture_wait(50);
}

Test(keeper, expired_items_go_with_their_entries)
{
	struct table *t = tables_fixture_table(sessions);
	struct keeper *k;
	int64_t now = clock_wall_ms() / 1000;

	put(t, "old", now - 10);
	cr_assert(ne(str, redis("KEYS t:{%s:*}:index:0", t->id), "0"));
	k = keeper_new(fixture.store, NULL);
	wait_until_gone("KEYS t:{%s:*}:index:0", t->id);
	cr_assert(eq(str, redis("KEYS t:{%s:*}:order", t->id), "0"));
	cr_assert(eq(str, redis("KEYS t:{%s:*}:expiry", t->id), "0"));
	put(t, "new", now + 1000);
	tables_fixture_wait(1500);
	cr_assert(eq(str, redis("KEYS t:{%s:*}:index:0", t->id), "1"));
	keeper_free(k);
	table_unref(t);
}

Test(keeper, keys_of_a_dropped_table_and_of_a_creation_that_was_left_are_removed)
{
	struct table *t = tables_fixture_table(sessions);
	struct keeper *k;
	enum err e;

	put(t, "a", clock_wall_ms() / 1000 + 1000);
	table_ref(t);
	catalog_delete(fixture.store, fixture.arena, t, tables_fixture_on_done, &e);
	tables_fixture_run();
	/* left by a broker that died */
	redis("HSET t:{t}:dropped lostlost 1:0 youngone 99999999999999:0");
	redis("HSET t:{lostlost:3}:items x 1");
	redis("HSET t:{youngone:3}:items x 1");
	k = keeper_new(fixture.store, NULL);
	wait_until_gone("KEYS t:{%s:*", t->id);
	wait_until_gone("KEYS t:{%s:*", "lostlost");
	while (strcmp(redis("HLEN t:{t}:dropped"), "1") != 0)
		tables_fixture_wait(50);
	cr_assert(eq(str, redis("KEYS t:{youngone:*"), "1"));
	keeper_free(k);
	table_unref(t);
	table_unref(t);
}

Test(keeper, fill_that_another_broker_began_is_finished)
{
	struct table *t = tables_fixture_table(sessions), *next;
	struct keeper *k;
	enum err e;

	put(t, "a", clock_wall_ms() / 1000 + 1000);
	for (int s = 0; s < SHARDS; s++) /* as if the index were new */
		redis("DEL t:{%s:%d}:index:0", t->id, s);
	next = table_change(t);
	next->indexes[0].state = INDEX_CREATING;
	catalog_change(fixture.store, fixture.arena, next, NULL, tables_fixture_on_done,
		       &e);
	tables_fixture_run();
	cr_assert(eq(int, e, OK));
	k = keeper_new(fixture.store, NULL);
	while (catalog_find(fixture.store, t->name) == NULL ||
	       table_is_changing(catalog_find(fixture.store, t->name)))
		tables_fixture_wait(50);
	cr_assert(eq(str, redis("KEYS t:{%s:*}:index:0", t->id), "1"));
	keeper_free(k);
	table_unref(next);
	table_unref(t);
}
