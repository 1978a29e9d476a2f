#include "edge/limits.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { MI = 1024 * 1024 };

/* A pod of 512 MiB with the shares of conf.c. */
static struct limits_given given(void)
{
	return (struct limits_given){.descriptors = 1048576,
				     .memory = 512 * MI,
				     .held_bytes = 128 * MI,
				     .outbox_memory = 128 * MI,
				     .max_connections = 1000000};
}

Test(limits, by_memory_are_what_the_budgets_leave)
{
	struct limits_given g = given();
	struct limits l = limits_of(&g);

	cr_assert(eq(u32, l.connections, (512 - 256 - 32) * 128));
	cr_assert(eq(str, (char *)l.by, "memory"));
	cr_assert(not(l.is_memory_short));
}

Test(limits, by_settings_are_the_smallest_if_they_are_smaller)
{
	struct limits_given g = given();

	g.max_connections = 1000;
	cr_assert(eq(u32, limits_of(&g).connections, 1000));
	cr_assert(eq(str, (char *)limits_of(&g).by, "--max-connections"));
}

Test(limits, by_descriptors_reserve_a_tenth_for_others)
{
	struct limits_given g = given();

	g.memory = CGROUP_UNLIMITED;
	g.descriptors = 4096;
	cr_assert(eq(u32, limits_of(&g).connections, 4096 - 409));
	g.descriptors = 1048576;
	cr_assert(eq(u32, limits_of(&g).connections, 1000000));
	g.descriptors = 20000;
	cr_assert(eq(u32, limits_of(&g).connections, 20000 - 1024));
	cr_assert(eq(str, (char *)limits_of(&g).by, "open files"));
	g.descriptors = 100;
	cr_assert(eq(u32, limits_of(&g).connections, 64));
}

Test(limits, are_64_connections_when_the_budgets_leave_no_memory)
{
	struct limits_given g = given();

	g.held_bytes = 512 * MI;
	cr_assert(limits_of(&g).is_memory_short);
	cr_assert(eq(u32, limits_of(&g).connections, 64));
	g.max_connections = 10;
	cr_assert(eq(u32, limits_of(&g).connections, 10));
}
