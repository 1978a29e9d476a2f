#include "edge/conf.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct cgroup limit;

static enum err load(struct edge_conf *out, char *flag)
{
	char *argv[] = {"gatepost-edge", flag, NULL};

	return edge_conf_load(out, &limit, flag ? 2 : 1, argv);
}

Test(conf, without_flags_it_is_what_the_manual_says)
{
	struct edge_conf conf;

	cr_assert(eq(int, load(&conf, NULL), OK));
	cr_assert(eq(str, (char *)conf.name, "edge-0"));
	cr_assert(eq(str, (char *)conf.brokers, "tcp://127.0.0.1:7400"));
	cr_assert(eq(i64, conf.silence_ms, 5000));
	cr_assert(eq(i64, conf.heartbeat_ms, 1000));
}

Test(conf, a_flag_changes_its_own_setting)
{
	struct edge_conf conf;

	cr_assert(eq(int, load(&conf, "--name=edge-7"), OK));
	cr_assert(eq(str, (char *)conf.name, "edge-7"));
}

Test(conf, values_beyond_their_limits_are_refused)
{
	struct edge_conf conf;

	cr_assert(eq(int, load(&conf, "--max-message=2TiB"), ERR_MALFORMED));
	cr_assert(eq(int, load(&conf, "--heartbeat=0"), ERR_MALFORMED));
	cr_assert(eq(int, load(&conf, "--no-such-setting=1"), ERR_MALFORMED));
}

Test(conf, of_a_small_cgroup_has_smaller_budgets_of_memory_unless_they_are_set)
{
	struct edge_conf conf;

	cr_assert(eq(int, load(&conf, NULL), OK));
	cr_assert(eq(i64, conf.client.held_bytes, 512 << 20));
	limit.memory = 256 << 20;
	cr_assert(eq(int, load(&conf, NULL), OK));
	cr_assert(eq(i64, conf.client.held_bytes, 64 << 20));
	cr_assert(eq(i64, conf.client.outbox_memory, 64 << 20));
	cr_assert(eq(int, load(&conf, "--held-memory=100MiB"), OK));
	cr_assert(eq(i64, conf.client.held_bytes, 100 << 20));
	cr_assert(eq(int, load(&conf, "--profile=aws"), OK));
	cr_assert(eq(i64, conf.client.outbox_memory, 64 << 20));
	cr_assert(eq(i64, conf.client.max_frame, 32 << 10));
}
