#include "base/ring.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { KEYS = 100000 };

static int members[16];

static struct ring *ring_with(uint64_t first, uint64_t last)
{
	struct ring *r = ring_new();

	for (uint64_t i = first; i <= last; i++)
		ring_put(r, i * 7919, &members[i]);
	return r;
}

Test(ring, an_empty_ring_has_no_owner)
{
	struct ring *r = ring_new();

	cr_assert(eq(ptr, ring_pick(r, 1), NULL));
	ring_free(r);
	ring_free(NULL);
}

/* Processes of different builds share a cluster: these homes are for ever. */
Test(ring, owners_are_those_of_every_other_build)
{
	struct ring *r = ring_with(1, 3);
	char homes[9] = "";

	for (uint64_t key = 0; key < 8; key++)
		homes[key] = (char)('0' + ((int *)ring_pick(r, key) - members));
	cr_assert(eq(str, homes, "12311321"));
	ring_free(r);
}

Test(ring, owners_do_not_depend_on_who_came_first)
{
	struct ring *up = ring_with(1, 5);
	struct ring *down = ring_new();

	for (uint64_t i = 5; i >= 1; i--)
		ring_put(down, i * 7919, &members[i]);
	for (uint64_t key = 0; key < KEYS; key++)
		cr_assert(ring_pick(up, key) == ring_pick(down, key));
	ring_free(up);
	ring_free(down);
}

Test(ring, when_a_member_goes_only_its_keys_move)
{
	struct ring *before = ring_with(1, 5);
	struct ring *after = ring_with(1, 5);

	ring_remove(after, 3 * 7919);
	cr_assert(eq(sz, ring_size(after), 4));
	for (uint64_t key = 0; key < KEYS; key++) {
		void *home = ring_pick(before, key);

		if (home == &members[3])
			cr_assert(ring_pick(after, key) != &members[3]);
		else
			cr_assert(ring_pick(after, key) == home);
	}
	ring_free(before);
	ring_free(after);
}

Test(ring, each_member_gets_its_share_within_five_percent)
{
	struct ring *r = ring_with(1, 4);
	int share[5] = {0};

	for (uint64_t key = 0; key < KEYS; key++)
		share[(int *)ring_pick(r, key) - members]++;
	for (int i = 1; i <= 4; i++) {
		cr_assert(gt(int, share[i], KEYS / 4 - KEYS / 80));
		cr_assert(lt(int, share[i], KEYS / 4 + KEYS / 80));
	}
	ring_free(r);
}

Test(ring, the_version_counts_changes_and_nothing_else)
{
	struct ring *r = ring_new();

	cr_assert(eq(u32, ring_version(r), 1));
	ring_put(r, 5, &members[5]);
	ring_remove(r, 6);
	ring_pick(r, 1);
	cr_assert(eq(u32, ring_version(r), 2));
	ring_put(r, 5, &members[6]);
	cr_assert(eq(ptr, ring_pick(r, 1), &members[6]));
	cr_assert(eq(sz, ring_size(r), 1));
	ring_remove(r, 5);
	cr_assert(eq(u32, ring_version(r), 4));
	ring_free(r);
}
