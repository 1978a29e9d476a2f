#include "edge/capacity.h"

#include "tests/unit/fakes/fake_loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

enum { MI = 1024 * 1024 };

static struct loop *loop;
static struct capacity *c;
static int64_t used_connections, used_memory;

static uint32_t ask_connections(void *arg)
{
	(void)arg;
	return (uint32_t)used_connections;
}

static int64_t ask_resident(void)
{
	return used_memory;
}

static void begin(void)
{
	loop = loop_new();
	c = capacity_new(&(struct limits_given){.descriptors = 10000,
						.memory = 100 * MI,
						.held_bytes = 25 * MI,
						.outbox_memory = 25 * MI,
						.max_connections = 1000},
			 &(struct capacity_uses){.loop = loop,
						 .connections = ask_connections,
						 .resident = ask_resident});
}

static void end(void)
{
	capacity_free(c);
	loop_free(loop);
}

TestSuite(capacity, .init = begin, .fini = end);

static void expect(const char *why)
{
	const char *is;

	fake_loop_run(loop, 300);
	is = capacity_missing(c);
	if (why == NULL)
		cr_assert(is == NULL, "%s", is);
	else
		cr_assert(is != NULL && strstr(is, why) != NULL, "%s", is ? is : "none");
}

Test(capacity, is_there_until_the_last_connection)
{
	used_connections = 999;
	expect(NULL);
	used_connections = 1000;
	expect("full: 1000 connections, the maximum by --max-connections");
}

Test(capacity, is_back_at_95_percent_and_not_before)
{
	used_connections = 1000;
	expect("connections");
	used_connections = 951;
	expect("connections");
	used_connections = 950;
	expect(NULL);
	used_connections = 999;
	expect(NULL);
}

Test(capacity, is_used_up_by_memory_to_which_sockets_add_the_kernels)
{
	used_memory = 89 * MI;
	expect(NULL);
	used_connections = 256;
	expect("memory");
	used_connections = 0;
	used_memory = 80 * MI;
	expect(NULL);
}

Test(capacity, of_memory_has_no_limit_without_a_cgroup)
{
	capacity_free(c);
	c = capacity_new(
		&(struct limits_given){.descriptors = 10000, .max_connections = 10},
		&(struct capacity_uses){.loop = loop,
					.connections = ask_connections,
					.resident = ask_resident});
	used_memory = INT64_MAX / 2;
	expect(NULL);
}
