#include "broker/conf.h"

#include "tests/unit/base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Load with one flag (or none); *said is what went to standard error. */
static struct cgroup limit;

static enum err load(struct broker_conf *out, char *flag, char **said)
{
	char *argv[] = {"gatepost-broker", flag, NULL};
	struct capture *c = capture_start(STDERR_FILENO);
	enum err e = broker_conf_load(out, &limit, flag ? 2 : 1, argv);

	*said = capture_end(c);
	return e;
}

static void refuse(char *flag, const char *shown)
{
	struct broker_conf conf;
	char *said;

	cr_assert(eq(int, load(&conf, flag, &said), ERR_MALFORMED), "%s", flag);
	cr_assert(strstr(said, shown) != NULL, "%s: %s", flag, said);
	free(said);
}

static void take(char *flag)
{
	struct broker_conf conf;
	char *said;

	cr_assert(eq(int, load(&conf, flag, &said), OK), "%s: %s", flag, said);
	free(said);
}

Test(conf, without_flags_it_is_what_the_manual_says)
{
	struct broker_conf conf;
	char *said;

	cr_assert(eq(int, load(&conf, NULL, &said), OK), "%s", said);
	cr_assert(eq(str, said, ""));
	cr_assert(eq(str, (char *)conf.name, "broker-0"));
	cr_assert(conf.stage == NULL); /* the configuration's */
	cr_assert(conf.selection == NULL);
	cr_assert(conf.config == NULL);
	cr_assert(conf.advertise == NULL);
	cr_assert(eq(i64, conf.silence_ms, 5000));
	cr_assert(eq(i64, conf.lease_ms, 10000));
	cr_assert(eq(i64, conf.max_post, 128 * 1024));
	cr_assert(eq(i64, conf.default_route, 0));
	free(said);
}

Test(conf, a_stage_is_one_part_of_a_path)
{
	take("--stage=prod");
	take("--stage=$default");
	refuse("--stage=", "stage = \"\"");
	refuse("--stage=a/b", "stage = \"a/b\"");
	refuse("--stage=a?b", "one part of a path");
	refuse("--stage=a#b", "one part of a path");
	refuse("--stage=a%20b", "one part of a path");
	refuse("--stage=a b", "one part of a path");
}

Test(conf, a_default_route_is_one_of_those_built_in)
{
	take("--default-route=builtin:echo");
	refuse("--default-route=builtin:ping", "builtin:reject");
}

Test(conf, values_beyond_their_limits_are_refused)
{
	refuse("--heartbeat=1ms", "heartbeat");
	refuse("--credit-events=0", "credit-events");
	refuse("--max-post=17MiB", "max-post");
	refuse("--no-such-setting=1", "no-such-setting");
}

Test(conf, of_a_small_cgroup_has_smaller_budgets_of_memory)
{
	struct broker_conf conf;
	char *said;

	limit.memory = 256 << 20;
	cr_assert(eq(int, load(&conf, "--http-memory=100MiB", &said), OK));
	cr_assert(eq(i64, conf.http_memory, 100 << 20));
	cr_assert(eq(i64, conf.management_memory, 32 << 20));
	cr_assert(eq(i64, conf.credit_bytes, 16 << 20));
	free(said);
}
