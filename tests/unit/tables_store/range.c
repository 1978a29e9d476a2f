#include "tables/store/range.h"

#include "base/mem.h"
#include "tests/unit/tables_store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(range, .init = tables_fixture_init, .fini = tables_fixture_fini, .timeout = 60);

enum { ITEMS = 40, ROOMS = 3 };

static const char users[] =
	"{\"TableName\":\"users\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":"
	"\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","
	"\"AttributeType\":"
	"\"N\"},{\"AttributeName\":\"room\",\"AttributeType\":\"N\"}],"
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-room\",\"KeySchema\":[{"
	"\"AttributeName\":\"room\",\"KeyType\":\"HASH\"}],\"Projection\":{"
	"\"ProjectionType\":\"ALL\"}}]}";

static struct table *filled(void)
{
	struct table *t = tables_fixture_table(users);
	char text[64];

	for (int i = 0; i < ITEMS; i++) {
		snprintf(text, sizeof text,
			 "{\"id\":{\"N\":\"%d\"},\"room\":{\"N\":\"%d\"}}", i, i % ROOMS);
		cr_assert(tables_fixture_put(t, text, NULL).outcome == ITEMS_WRITTEN);
	}
	return t;
}

static void on_filled(void *arg, enum err e)
{
	tables_fixture_on_done(arg, e);
}

/* All rows, in their order. */
struct rows {
	size_t n;
	int ids[2 * ITEMS];
	struct range_row last;
};

static struct rows read_all(const struct range_conf *conf, size_t most)
{
	struct range *r = range_new(fixture.store, fixture.arena, conf);
	struct rows rows = {0};
	struct range_row row;
	enum err e;

	while (rows.n < most && !range_is_over(r)) {
		range_fill(r, on_filled, &e);
		tables_fixture_run();
		cr_assert(eq(int, e, OK));
		while (rows.n < most && range_take(r, &row)) {
			const char *id = strstr(arena_printf(fixture.arena, "%.*s",
							     SPAN_ARG(row.item.json)),
						"\"N\":\"");

			rows.ids[rows.n++] = atoi(id + 5);
			rows.last = row;
		}
	}
	return rows;
}

static void assert_each_once(const struct rows *rows, int step, int first, size_t want)
{
	bool seen[ITEMS] = {false};

	cr_assert(eq(sz, rows->n, want));
	for (size_t i = 0; i < rows->n; i++) {
		cr_assert(not(seen[rows->ids[i]]), "%d twice", rows->ids[i]);
		cr_assert(rows->ids[i] % step == first);
		seen[rows->ids[i]] = true;
	}
}

Test(range, scan_reads_each_item_once_whatever_the_page)
{
	struct table *t = filled();
	struct range_conf conf = {.table = t,
				  .needs_entries = true,
				  .last_shard = SHARDS - 1,
				  .most = 1000,
				  .bytes = 1 << 20};
	struct rows all = read_all(&conf, 1000), some = {0};

	assert_each_once(&all, 1, 0, ITEMS);
	for (size_t page = 1; page < 6; page++) {
		conf.behind = (struct span){0};
		conf.most = page;
		some.n = 0;
		for (;;) {
			struct rows next = read_all(&conf, page);

			if (next.n == 0)
				break;
			memcpy(some.ids + some.n, next.ids, next.n * sizeof *next.ids);
			some.n += next.n;
			conf.behind = next.last.entry;
			conf.behind_shard = next.last.shard;
		}
		assert_each_once(&some, 1, 0, ITEMS);
		cr_assert(memcmp(some.ids, all.ids, ITEMS * sizeof(int)) == 0);
	}
	table_unref(t);
}

Test(range, large_items_are_read_a_few_at_a_time)
{
	struct table *t = tables_fixture_table(users);
	struct range_conf conf = {
		.table = t, .last_shard = SHARDS - 1, .most = 1000, .bytes = 1 << 20};
	char *text = xmalloc(110000);
	struct rows rows;

	for (int i = 0; i < ITEMS; i++) {
		snprintf(text, 110000,
			 "{\"id\":{\"N\":\"%d\"},\"more\":{\"S\":\"%0*d\"}}", i,
			 i % 2 == 0 ? 100000 : 10, i);
		cr_assert(tables_fixture_put(t, text, NULL).outcome == ITEMS_WRITTEN);
	}
	rows = read_all(&conf, 1000);
	assert_each_once(&rows, 1, 0, ITEMS);
	free(text);
	table_unref(t);
}

Test(range, entry_without_an_item_is_left_out)
{
	struct table *t = filled();
	struct value seven = {.type = VALUE_N, .bytes = span_str("7")};
	struct item_place place = place_of(fixture.arena, t, &seven, NULL);
	struct range_conf conf = {
		.table = t, .last_shard = SHARDS - 1, .most = 1000, .bytes = 1 << 20};
	struct rows rows;

	tables_fixture_redis("HDEL t:{%s:%u}:items %b", t->id, place.shard, place.key.p,
			     place.key.n);
	rows = read_all(&conf, 1000);
	cr_assert(eq(sz, rows.n, ITEMS - 1));
	conf.first_shard = conf.last_shard = place.shard; /* by the script */
	rows = read_all(&conf, 1000);
	cr_assert(rows.n > 0);
	for (size_t i = 0; i < rows.n; i++)
		cr_assert(rows.ids[i] != 7);
	table_unref(t);
}

Test(range, merged_shards_are_in_the_order_of_entries_in_both_directions)
{
	struct table *t = filled();
	struct value room = {.type = VALUE_N, .bytes = span_str("1")};
	struct key prefix = place_prefix(fixture.arena, &room);
	struct span from = span_of(prefix.p, prefix.n);
	struct range_conf conf = {
		.table = t,
		.index = &t->indexes[0],
		.bounds = {.from = from, .to = range_behind(fixture.arena, from)},
		.is_merged = true,
		.last_shard = SHARDS - 1,
		.most = 4,
		.bytes = 1 << 20};
	struct rows forward = read_all(&conf, 1000), backward, rest;

	assert_each_once(&forward, ROOMS, 1, 13);
	conf.is_backward = true;
	backward = read_all(&conf, 1000);
	for (size_t i = 0; i < forward.n; i++)
		cr_assert(eq(int, backward.ids[forward.n - 1 - i], forward.ids[i]));
	backward = read_all(&conf, 5);
	conf.behind = backward.last.entry;
	rest = read_all(&conf, 1000);
	cr_assert(eq(sz, rest.n, forward.n - 5));
	cr_assert(eq(int, rest.ids[0], forward.ids[forward.n - 6]));
	table_unref(t);
}

Test(range, bytes_behind_a_prefix_are_greater_than_all_that_begin_with_it)
{
	static const uint8_t plain[] = {1, 2}, high[] = {1, 0xff}, all[] = {0xff, 0xff};
	struct span s = range_behind(fixture.arena, span_of(plain, 2));

	cr_assert(s.n == 2 && s.p[0] == 1 && s.p[1] == 3);
	s = range_behind(fixture.arena, span_of(high, 2));
	cr_assert(s.n == 1 && s.p[0] == 2);
	cr_assert(range_behind(fixture.arena, span_of(all, 2)).n == 0);
}

Test(range, deleted_table_is_told_from_an_empty_one)
{
	struct table *t = filled();
	struct range_conf conf = {
		.table = t, .last_shard = SHARDS - 1, .most = 10, .bytes = 1 << 20};
	struct range *r = range_new(fixture.store, fixture.arena, &conf);
	enum err e;

	table_ref(t);
	catalog_delete(fixture.store, fixture.arena, t, tables_fixture_on_done, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, OK));
	range_fill(r, on_filled, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, ERR_AGAIN));
	table_unref(t);
	table_unref(t);
}
