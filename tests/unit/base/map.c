#include "base/map.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { KEYS = 1000 };

static uint32_t keys[KEYS];
static int values[KEYS];

static struct span key_of(uint32_t i)
{
	keys[i] = i;
	return span_of(&keys[i], sizeof keys[i]);
}

static struct map *map_with(uint32_t n)
{
	struct map *m = map_new();

	for (uint32_t i = 0; i < n; i++)
		map_put(m, key_of(i), &values[i]);
	return m;
}

Test(map, an_empty_map_has_nothing)
{
	struct map *m = map_new();
	size_t at = 0;

	cr_assert(eq(ptr, map_find(m, span_str("a")), NULL));
	cr_assert(eq(ptr, map_remove(m, span_str("a")), NULL));
	cr_assert(eq(ptr, map_next(m, &at), NULL));
	map_free(m);
	map_free(NULL);
}

Test(map, a_second_put_replaces_and_tells_what_was_there)
{
	struct map *m = map_new();

	cr_assert(eq(ptr, map_put(m, span_str("a"), &values[0]), NULL));
	cr_assert(eq(ptr, map_put(m, span_str("a"), &values[1]), &values[0]));
	cr_assert(eq(ptr, map_find(m, span_str("a")), &values[1]));
	cr_assert(eq(sz, map_size(m), 1));
	map_free(m);
}

Test(map, keys_are_bytes_and_an_empty_one_is_a_key)
{
	struct map *m = map_new();

	map_put(m, span_of("a\0b", 3), &values[0]);
	map_put(m, span_of("a\0c", 3), &values[1]);
	map_put(m, (struct span){0}, &values[2]);
	cr_assert(eq(ptr, map_find(m, span_of("a\0b", 3)), &values[0]));
	cr_assert(eq(ptr, map_find(m, span_of("a\0c", 3)), &values[1]));
	cr_assert(eq(ptr, map_find(m, span_of("", 0)), &values[2]));
	cr_assert(eq(ptr, map_find(m, span_of("a", 1)), NULL));
	map_free(m);
}

/* A plain array is asked beside the map; the same steps each time. */
Test(map, it_agrees_with_a_plain_array_through_a_million_steps)
{
	struct map *m = map_new();
	bool there[KEYS] = {false};
	size_t size = 0;
	uint64_t random = 88172645463325252u;

	for (int step = 0; step < 1000000; step++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;

		uint32_t i = (uint32_t)(random >> 32) % KEYS;
		bool put = (random & 0xff) < (step / 100000 % 2 ? 100 : 156);
		void *was = put ? map_put(m, key_of(i), &values[i])
				: map_remove(m, key_of(i));

		cr_assert(was == (there[i] ? &values[i] : NULL));
		size += (size_t)(put && !there[i]);
		size -= (size_t)(!put && there[i]);
		there[i] = put;
		cr_assert(map_size(m) == size);
	}
	for (uint32_t i = 0; i < KEYS; i++)
		cr_assert(map_find(m, key_of(i)) == (there[i] ? &values[i] : NULL));
	map_free(m);
}

Test(map, a_walk_that_removes_what_it_gets_sees_each_entry_once)
{
	struct map *m = map_with(KEYS);
	int seen[KEYS] = {0};
	size_t at = 0;

	for (int *v; (v = map_next(m, &at));) {
		size_t i = (size_t)(v - values);

		seen[i]++;
		if (i % 3)
			map_remove(m, key_of((uint32_t)i));
	}
	for (size_t i = 0; i < KEYS; i++)
		cr_assert(seen[i] == 1);
	cr_assert(eq(sz, map_size(m), (KEYS + 2) / 3));
	map_free(m);
}

Test(map, a_walk_can_empty_the_map)
{
	struct map *m = map_with(100);
	size_t at = 0, n = 0;

	for (int *v; (v = map_next(m, &at)); n++)
		map_remove(m, key_of((uint32_t)(v - values)));
	cr_assert(eq(sz, n, 100));
	cr_assert(eq(sz, map_size(m), 0));
	map_put(m, key_of(7), &values[7]);
	cr_assert(eq(ptr, map_find(m, key_of(7)), &values[7]));
	map_free(m);
}
