#include "edge/conf.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static enum err load(struct edge_conf *out, char *flag)
{
	char *argv[] = {"gatepost-edge", flag, NULL};

	return edge_conf_load(out, flag ? 2 : 1, argv);
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
