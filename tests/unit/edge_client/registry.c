#include "edge/client/registry.h"

#include "edge/client/connection.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

enum { MOST = 1000 };

static struct registry *r;
static struct connection connections[MOST + 1];

static void start(void)
{
	r = registry_new(MOST);
}

static void end(void)
{
	registry_free(r);
}

TestSuite(registry, .init = start, .fini = end);

/* As edge/client/connection.c does: the id is made of the slot. */
static struct connection *add(int i, uint64_t random)
{
	struct connection *c = &connections[i];

	cr_assert(eq(int, registry_add(r, c, &c->slot), OK));
	c->lane.id = id_make(7, c->slot, random);
	return c;
}

Test(registry, every_connection_is_found_by_its_id)
{
	for (int i = 0; i < MOST; i++)
		add(i, (uint64_t)i);
	for (int i = 0; i < MOST; i++)
		cr_assert(registry_find(r, &connections[i].lane.id) == &connections[i]);
	cr_assert(eq(u32, registry_count(r), MOST));
	cr_assert(eq(u32, registry_slots(r), MOST));
}

Test(registry, when_full_one_more_is_refused_and_one_less_makes_room)
{
	uint32_t slot = 99;

	for (int i = 0; i < MOST; i++)
		add(i, 1);
	cr_assert(eq(int, registry_add(r, &connections[MOST], &slot), ERR_BUSY));
	cr_assert(eq(u32, slot, 99));
	cr_assert(eq(u32, registry_count(r), MOST));
	registry_remove(r, connections[500].slot);
	cr_assert(eq(int, registry_add(r, &connections[MOST], &slot), OK));
	cr_assert(eq(u32, slot, connections[500].slot));
	cr_assert(eq(u32, registry_slots(r), MOST));
}

Test(registry, a_stale_id_does_not_find_the_new_connection_in_its_slot)
{
	struct id stale = add(0, 111)->lane.id;

	registry_remove(r, connections[0].slot);
	cr_assert(registry_find(r, &stale) == NULL);

	struct connection *c = add(1, 222);

	cr_assert(eq(u32, c->slot, id_slot(&stale)));
	cr_assert(registry_find(r, &stale) == NULL);
	cr_assert(registry_find(r, &c->lane.id) == c);
}

Test(registry, an_id_of_another_edge_is_not_found)
{
	struct connection *c = add(0, 111);
	struct id theirs = id_make(8, c->slot, 111);

	cr_assert(registry_find(r, &theirs) == NULL);
}

Test(registry, a_slot_that_was_never_taken_is_not_found)
{
	struct id beyond = id_make(7, 1, 111), last = id_make(7, UINT32_MAX, 111);

	cr_assert(registry_find(r, &beyond) == NULL);
	add(0, 111);
	cr_assert(registry_find(r, &beyond) == NULL);
	cr_assert(registry_find(r, &last) == NULL);
}

/* Also where the slots' memory ends, which the sanitizer watches. */
Test(registry, the_slot_after_the_last_is_not_found_however_many_there_are)
{
	for (int i = 0; i < 300; i++) {
		struct id next = id_make(7, add(i, 1)->slot + 1, 1);

		cr_assert(registry_find(r, &next) == NULL);
	}
}

/* So that the slots of a busy edge stay few, however many come and go. */
Test(registry, free_slots_are_taken_before_new_ones)
{
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 100; i++)
			add(i, (uint64_t)round);
		for (int i = 0; i < 100; i++)
			registry_remove(r, connections[(i * 37) % 100].slot);
	}
	cr_assert(eq(u32, registry_slots(r), 100));
	cr_assert(eq(u32, registry_count(r), 0));
}

Test(registry, two_connections_never_share_a_slot)
{
	bool taken[200] = {false};

	for (int i = 0; i < 200; i++)
		add(i, 1);
	for (int i = 0; i < 200; i += 2)
		registry_remove(r, connections[i].slot);
	for (int i = 0; i < 200; i += 2)
		add(i, 2);
	for (int i = 0; i < 200; i++) {
		cr_assert(not(taken[connections[i].slot]));
		taken[connections[i].slot] = true;
	}
}

static char seen[64];
static size_t n_seen;

static void see(void *arg, struct connection *c)
{
	seen[n_seen++] = (char)('a' + (c - connections));
	seen[n_seen] = '\0';
	if (arg != NULL)
		registry_remove(arg, c->slot);
}

Test(registry, a_walk_sees_those_in_its_slots_once_each)
{
	for (int i = 0; i < 6; i++)
		add(i, 1);
	registry_remove(r, connections[2].slot);
	registry_each(r, 1, 5, see, NULL);
	cr_assert(eq(str, seen, "bde"));
	registry_each(r, 5, 5, see, NULL);
	registry_each(r, 6, UINT32_MAX, see, NULL);
	cr_assert(eq(str, seen, "bde"));
}

Test(registry, a_walk_may_remove_what_it_is_given)
{
	for (int i = 0; i < 6; i++)
		add(i, 1);
	registry_each(r, 0, UINT32_MAX, see, r);
	cr_assert(eq(str, seen, "abcdef"));
	cr_assert(eq(u32, registry_count(r), 0));
}

Test(registry, removing_from_a_free_slot_aborts, .signal = SIGABRT)
{
	add(0, 1);
	registry_remove(r, connections[0].slot);
	registry_remove(r, connections[0].slot);
}

Test(registry, freeing_none_is_fine)
{
	registry_free(NULL);
}
