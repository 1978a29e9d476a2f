#include "tables/store/items.h"

#include "base/clock.h"
#include "tables/value/value_json.h"
#include "tests/unit/tables_store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

TestSuite(items, .init = tables_fixture_init, .fini = tables_fixture_fini, .timeout = 60);

#define ROOMS                                                                            \
	"{\"TableName\":\"rooms\",\"KeySchema\":[{\"AttributeName\":\"id\","             \
	"\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","    \
	"\"AttributeType\":\"S\"}],\"TimeToLiveSpecification\":{\"Enabled\":true,"       \
	"\"AttributeName\":\"ttl\"}}"

static const char one[] = "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"}}";
static const char two[] = "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"2\"}}";
static const char key[] = "{\"id\":{\"S\":\"a\"}}";

static char *json(struct span s)
{
	return arena_printf(fixture.arena, "%.*s", SPAN_ARG(s));
}

Test(items, item_is_read_as_it_was_written)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct got g = tables_fixture_get(t, key);

	cr_assert(eq(int, g.e, OK));
	cr_assert(not(g.item.is_there));
	cr_assert(eq(int, tables_fixture_put(t, one, NULL).outcome, ITEMS_WRITTEN));
	g = tables_fixture_get(t, key);
	cr_assert(g.item.is_there);
	cr_assert(eq(str, json(g.item.json), (char *)(uintptr_t)one));
	cr_assert(eq(sz, g.item.size, 6)); /* id, a, n, and two bytes of the number */
	table_unref(t);
}

Test(items, write_of_an_item_that_has_changed_is_refused_with_what_it_is_now)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct wrote w;
	struct got g;

	tables_fixture_put(t, one, NULL);
	g = tables_fixture_get(t, key);
	w = tables_fixture_put(t, two, NULL); /* as if it were not there */
	cr_assert(eq(int, w.outcome, ITEMS_CHANGED));
	cr_assert(eq(str, json(w.now.json), (char *)(uintptr_t)one));
	cr_assert(eq(int, tables_fixture_put(t, two, &g.item).outcome, ITEMS_WRITTEN));
	w = tables_fixture_put(t, one, &g.item); /* of the version before */
	cr_assert(eq(int, w.outcome, ITEMS_CHANGED));
	cr_assert(eq(str, json(w.now.json), (char *)(uintptr_t)two));
	table_unref(t);
}

Test(items, item_that_was_deleted_and_made_again_is_another_one)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct got before, after;
	struct item_write w = {.kind = ITEM_DELETE};
	struct value_map m = tables_fixture_item(key);

	tables_fixture_put(t, one, NULL);
	before = tables_fixture_get(t, key);
	w.place = place_of_item(fixture.arena, t, &m);
	w.old = before.item;
	cr_assert(eq(
		int,
		tables_fixture_write(&(struct items_write){.parts = &w, .n = 1}).outcome,
		ITEMS_WRITTEN));
	tables_fixture_put(t, one, NULL);
	after = tables_fixture_get(t, key);
	cr_assert(ne(u64, before.item.version, after.item.version));
	cr_assert(
		eq(int, tables_fixture_put(t, two, &before.item).outcome, ITEMS_CHANGED));
	table_unref(t);
}

Test(items, writes_of_one_call_are_done_all_or_not_at_all)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct value_map a = tables_fixture_item(one),
			 b = tables_fixture_item("{\"id\":{\"S\":\"b\"}}");
	struct blob *blob = item_blob(fixture.store, &a, item_size(&a), 0);
	struct item_write parts[] = {
		{.place = place_of_item(fixture.arena, t, &a),
		 .kind = ITEM_PUT,
		 .blob = blob_span(blob)},
		{.place = place_of_item(fixture.arena, t, &b),
		 .kind = ITEM_CHECK,
		 .old = {.is_there = true, .version = 5}},
	};
	struct wrote w =
		tables_fixture_write(&(struct items_write){.parts = parts, .n = 2});

	cr_assert(eq(int, w.outcome, ITEMS_CHANGED));
	cr_assert(eq(sz, w.part, 1));
	cr_assert(not(tables_fixture_get(t, key).item.is_there));
	parts[1].old = (struct item){.is_there = false};
	w = tables_fixture_write(&(struct items_write){.parts = parts, .n = 2});
	cr_assert(eq(int, w.outcome, ITEMS_WRITTEN));
	cr_assert(tables_fixture_get(t, key).item.is_there);
	blob_unref(blob);
	table_unref(t);
}

Test(items, token_is_taken_with_the_write)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct value_map m = tables_fixture_item(one);
	struct blob *blob = item_blob(fixture.store, &m, item_size(&m), 0);
	struct item_write part = {.place = place_of_item(fixture.arena, t, &m),
				  .kind = ITEM_PUT,
				  .blob = blob_span(blob)};
	struct items_write w = {
		.parts = &part, .n = 1, .token = "once", .request = span_str("hash")};

	cr_assert(eq(int, tables_fixture_write(&w).outcome, ITEMS_WRITTEN));
	cr_assert(eq(int, tables_fixture_write(&w).outcome, ITEMS_DONE));
	w.request = span_str("other");
	cr_assert(eq(int, tables_fixture_write(&w).outcome, ITEMS_OTHER));
	blob_unref(blob);
	table_unref(t);
}

static void on_locked(void *arg, enum err e)
{
	tables_fixture_on_done(arg, e);
}

static enum err lock(const struct item_place *place, const char *owner)
{
	enum err e;

	items_lock(fixture.store, fixture.arena, place, owner, on_locked, &e);
	tables_fixture_run();
	return e;
}

Test(items, lock_keeps_out_all_writes_but_its_owners)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct value_map m = tables_fixture_item(one);
	struct blob *blob = item_blob(fixture.store, &m, item_size(&m), 0);
	struct item_write part = {.place = place_of_item(fixture.arena, t, &m),
				  .kind = ITEM_PUT,
				  .blob = blob_span(blob)};
	struct items_write w = {.parts = &part, .n = 1};

	cr_assert(eq(int, lock(&part.place, "me"), OK));
	cr_assert(eq(int, lock(&part.place, "you"), ERR_CLAIMED));
	cr_assert(eq(int, tables_fixture_write(&w).outcome, ITEMS_LOCKED));
	w.owner = "me";
	cr_assert(eq(int, tables_fixture_write(&w).outcome, ITEMS_WRITTEN));
	cr_assert(eq(int, lock(&part.place, "you"), OK)); /* it was released */
	blob_unref(blob);
	table_unref(t);
}

Test(items, lock_of_a_broker_that_died_expires)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct value_map m = tables_fixture_item(one);
	struct item_place place = place_of_item(fixture.arena, t, &m);

	cr_assert(eq(int, lock(&place, "dead"), OK));
	while (lock(&place, "me") != OK)
		tables_fixture_wait(20);
	table_unref(t);
}

Test(items, write_of_a_table_that_has_changed_is_refused_and_a_newer_one_tells_the_shard)
{
	struct table *t = tables_fixture_table(ROOMS), *next = table_change(t);

	cr_assert(eq(int, tables_fixture_put(next, one, NULL).outcome, ITEMS_WRITTEN));
	cr_assert(eq(int, tables_fixture_put(t, two, NULL).outcome, ITEMS_STALE));
	cr_assert(eq(int, tables_fixture_get(t, key).e, ERR_AGAIN));
	cr_assert(eq(int, tables_fixture_get(next, key).e, OK));
	table_unref(next);
	table_unref(t);
}

struct expiry_row {
	char why[48];
	char ttl[64];
	int64_t want; /* seconds from now; 1: never */
};

Test(items, expiry_is_a_number_of_seconds_that_is_not_too_far_past)
{
	static const struct expiry_row rows[] = {
		{"absent", "", 1},
		{"text", ",\"ttl\":{\"S\":\"%lld\"}", 1},
		{"now", ",\"ttl\":{\"N\":\"%lld\"}", 0},
		{"a fraction", ",\"ttl\":{\"N\":\"%lld.5\"}", 0},
		{"five years ago", ",\"ttl\":{\"N\":\"%lld\"}", -5LL * 366 * 86400},
		{"four years ago", ",\"ttl\":{\"N\":\"%lld\"}", -4LL * 365 * 86400},
	};
	struct table *t = tables_fixture_table(ROOMS);
	int64_t now = clock_wall_ms() / 1000;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct expiry_row *r = &rows[i];
		bool never = r->want == 1 || r->want < -5LL * 365 * 86400;
		int64_t at = now + (r->want == 1 ? 0 : r->want);
		char ttl[96], text[160];

		if (strstr(r->ttl, "%lld.5") != NULL)
			snprintf(ttl, sizeof ttl, ",\"ttl\":{\"N\":\"%lld.5\"}",
				 (long long)at);
		else if (strstr(r->ttl, "\"S\"") != NULL)
			snprintf(ttl, sizeof ttl, ",\"ttl\":{\"S\":\"%lld\"}",
				 (long long)at);
		else
			snprintf(ttl, sizeof ttl, ",\"ttl\":{\"N\":\"%lld\"}",
				 (long long)at);
		snprintf(text, sizeof text, "{\"id\":{\"S\":\"a\"}%s}",
			 r->ttl[0] ? ttl : "");
		struct value_map m = tables_fixture_item(text);

		cr_assert(eq(i64, item_expiry(t, &m), never ? 0 : at), "%s", r->why);
	}
	table_unref(t);
}

static void init_node(void)
{
	fixture.server.extra = "cluster-enabled yes";
	tables_fixture_init();
	tables_fixture_redis("CLUSTER ADDSLOTSRANGE 0 16383");
	while (strstr(tables_fixture_redis("CLUSTER INFO"), "state:ok") == NULL)
		;
}

TestSuite(items_on_a_node, .init = init_node, .fini = tables_fixture_fini, .timeout = 60);

static void on_read_all(void *arg, enum err e, const struct item *items, size_t n)
{
	(void)items;
	(void)n;
	tables_fixture_on_done(arg, e);
}

/* Two items that are not in one shard. */
static void place_apart(const struct table *t, struct item_place places[2])
{
	struct value_map m = tables_fixture_item(one);

	places[0] = place_of_item(fixture.arena, t, &m);
	for (int i = 0; i == 0 || places[1].shard == places[0].shard; i++) {
		m = tables_fixture_item(
			arena_printf(fixture.arena, "{\"id\":{\"S\":\"b%d\"}}", i));
		places[1] = place_of_item(fixture.arena, t, &m);
	}
}

/* A node of a cluster refuses the keys of two shards in a call. */
Test(items_on_a_node, those_of_two_shards_are_not_written_together_but_each_alone)
{
	struct table *t = tables_fixture_table(ROOMS);
	struct item_place places[2];
	struct item_write parts[2];
	struct wrote w;
	enum err e;

	place_apart(t, places);
	for (int i = 0; i < 2; i++)
		parts[i] = (struct item_write){.place = places[i], .kind = ITEM_DELETE};
	items_read(fixture.store, fixture.arena, places, 2, on_read_all, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, ERR_DENIED));
	w = tables_fixture_write(&(struct items_write){.parts = parts, .n = 2});
	cr_assert(eq(int, w.outcome, ITEMS_FAILED));
	cr_assert(eq(int, w.e, ERR_DENIED));
	cr_assert(eq(int, tables_fixture_put(t, one, NULL).outcome, ITEMS_WRITTEN));
	cr_assert(eq(int, tables_fixture_get(t, key).e, OK));
	table_unref(t);
}
