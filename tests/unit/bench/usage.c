#include "bench/usage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct usage_table table;

Test(usage, memory_that_a_process_touches_shows_in_its_rss)
{
	enum { MORE = 32 << 20 };

	usage_add(&table, "self", "edge", getpid());
	cr_assert(eq(int, usage_look(&table, USAGE_BEFORE), OK));
	char *p = malloc(MORE);
	memset(p, 1, MORE);
	cr_assert(eq(int, usage_look(&table, USAGE_OPEN), OK));
	cr_assert(ge(i64, usage_rss(&table, "edge", USAGE_OPEN),
		     usage_rss(&table, "edge", USAGE_BEFORE) + MORE));
	free(p);
}

Test(usage, time_that_a_process_burns_shows_in_its_cpu)
{
	usage_add(&table, "self", "edge", getpid());
	cr_assert(eq(int, usage_look(&table, USAGE_BEFORE), OK));
	while (clock() < CLOCKS_PER_SEC / 5)
		;
	cr_assert(eq(int, usage_look(&table, USAGE_OPEN), OK));
	cr_assert(ge(i64, usage_cpu_us(&table, NULL, USAGE_BEFORE, USAGE_OPEN), 100000));
	cr_assert(eq(i64, usage_cpu_us(&table, "broker", USAGE_BEFORE, USAGE_OPEN), 0));
}

Test(usage, a_process_that_is_gone_is_an_error, .init = cr_redirect_stderr)
{
	usage_add(&table, "nobody", "edge", 0x7ffffff0);
	cr_assert(eq(int, usage_look(&table, USAGE_BEFORE), ERR_NOTFOUND));
}

Test(usage, pids_are_numbers_with_commas_between, .init = cr_redirect_stderr)
{
	cr_assert(eq(int, usage_add_pids(&table, "12,13"), OK));
	cr_assert(eq(sz, table.n, 2));
	cr_assert(eq(int, table.processes[1].pid, 13));
	cr_assert(eq(int, usage_add_pids(&table, "12,"), ERR_MALFORMED));
	cr_assert(eq(int, usage_add_pids(&table, "12;13"), ERR_MALFORMED));
	cr_assert(eq(int, usage_add_pids(&table, "-1"), ERR_MALFORMED));
	cr_assert(eq(int, usage_add_pids(&table, ""), ERR_MALFORMED));
}
