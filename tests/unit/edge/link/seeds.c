#include "edge/link/seeds.h"

#include "tests/unit/base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static char told[4096]; /* all endpoints that were named, each with a ';' */
static int stop_after;

static void start(void)
{
	loop = loop_new();
}

static void end(void)
{
	loop_free(loop);
}

TestSuite(seeds, .init = start, .fini = end, .timeout = 30);

static void on_named(void *arg, const char *endpoint)
{
	(void)arg;
	cr_assert(lt(sz, strlen(told) + strlen(endpoint), sizeof told - 2));
	strcat(strcat(told, endpoint), ";");
	if (--stop_after == 0)
		loop_stop(loop);
}

static struct seeds *name(const char *list)
{
	return seeds_new(loop, list, 3600 * 1000, on_named, NULL);
}

/* These are named before seeds_new returns. */
static void expect_at_once(const char *list, const char *want)
{
	struct seeds *s = name(list);

	cr_assert(s != NULL);
	cr_assert(eq(str, told, (char *)(uintptr_t)want));
	seeds_free(s);
}

Test(seeds, numeric_and_ipc_endpoints_are_named_at_once_as_they_were_given)
{
	expect_at_once("tcp://127.0.0.1:7400,ipc:///run/broker.sock,tcp://[::1]:7401",
		       "tcp://127.0.0.1:7400;ipc:///run/broker.sock;tcp://[::1]:7401;");
}

Test(seeds, empty_places_in_a_list_are_ignored)
{
	expect_at_once(",ipc:///a,,ipc:///b,", "ipc:///a;ipc:///b;");
}

Test(seeds, thirty_two_are_not_too_many)
{
	char list[1024] = "", want[1024] = "";

	for (int i = 0; i < 32; i++) {
		sprintf(list + strlen(list), "ipc:///%d,", i);
		sprintf(want + strlen(want), "ipc:///%d;", i);
	}
	expect_at_once(list, want);
}

/* Refused with one error line that shows which one, and nobody is named. */
static void refuse(const char *list, const char *shown)
{
	struct capture *c = capture_start(STDERR_FILENO);
	struct seeds *s = name(list);
	char *said = capture_end(c);

	cr_assert(s == NULL, "%s", list);
	cr_assert(eq(str, told, ""), "%s", list);
	cr_assert(strstr(said, " error ") != NULL, "%s: %s", list, said);
	cr_assert(strstr(said, shown) != NULL, "%s: %s", list, said);
	free(said);
}

Test(seeds, a_list_without_any_endpoint_is_refused_with_a_line)
{
	refuse("", "tcp://host:port");
	refuse(",,", "tcp://host:port");
}

Test(seeds, what_is_no_endpoint_is_refused_and_shown)
{
	refuse("broker:7400", "endpoint=broker:7400");
	refuse("http://broker:7400", "endpoint=http://broker:7400");
	refuse("tcp:/broker:7400", "endpoint=tcp:/broker:7400");
	refuse("ipc://", "endpoint=ipc://");
	refuse("ipc:///a,tcp://broker,ipc:///b", "endpoint=tcp://broker");
}

Test(seeds, an_endpoint_without_a_host_or_with_a_bad_port_is_refused)
{
	refuse("tcp://", "endpoint=tcp://");
	refuse("tcp://:7400", "endpoint=tcp://:7400");
	refuse("tcp://[]:7400", "7400");
	refuse("tcp://broker:", "endpoint=tcp://broker:");
	refuse("tcp://broker:74x", "endpoint=tcp://broker:74x");
	refuse("tcp://broker:-1", "endpoint=tcp://broker:-1");
	refuse("tcp://[::1]", "::1");
}

/* It would be tried for ever, and never answer. */
Test(seeds, a_port_that_cannot_be_is_refused)
{
	refuse("tcp://127.0.0.1:0", "endpoint=tcp://127.0.0.1:0");
	refuse("tcp://127.0.0.1:65536", "endpoint=tcp://127.0.0.1:65536");
	refuse("tcp://broker:99999999999999999999",
	       "endpoint=tcp://broker:99999999999999999999");
	told[0] = '\0';
	expect_at_once("tcp://127.0.0.1:65535", "tcp://127.0.0.1:65535;");
}

Test(seeds, thirty_three_are_too_many)
{
	char list[1024] = "";

	for (int i = 0; i < 33; i++)
		sprintf(list + strlen(list), "ipc:///%d,", i);
	refuse(list, "32");
}

Test(seeds, all_are_named_again_each_time)
{
	struct seeds *s;

	stop_after = 6;
	s = seeds_new(loop, "ipc:///a,ipc:///b", 1, on_named, NULL);
	loop_run(loop);
	cr_assert(
		eq(str, told, "ipc:///a;ipc:///b;ipc:///a;ipc:///b;ipc:///a;ipc:///b;"));
	seeds_free(s);
}

/* The lines of /etc/hosts that name this host, as endpoints; how many. */
static int hosts_of(const char *host, char endpoints[][64], int most)
{
	FILE *f = fopen("/etc/hosts", "r");
	char line[512];
	int n = 0;

	cr_assert(f != NULL);
	while (n < most && fgets(line, sizeof line, f) != NULL) {
		char *address = strtok(line, " \t\n"), *word = address;

		if (address == NULL || address[0] == '#')
			continue;
		while (word != NULL && strcmp(word, host) != 0)
			word = strtok(NULL, " \t\n");
		if (word != NULL)
			snprintf(endpoints[n++], 64,
				 strchr(address, ':') ? "tcp://[%s]:7400;"
						      : "tcp://%s:7400;",
				 address);
	}
	fclose(f);
	return n;
}

Test(seeds, a_name_is_resolved_to_all_its_addresses)
{
	char want[8][64];
	int n = hosts_of("localhost", want, 8);
	struct seeds *s;

	cr_assert(gt(int, n, 0));
	stop_after = n;
	s = name("tcp://localhost:7400");
	if (stop_after > 0)
		loop_run(loop);
	for (int i = 0; i < n; i++)
		cr_assert(strstr(told, want[i]) != NULL, "%s is not in %s", want[i],
			  told);
	seeds_free(s);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* Whatever the resolver still has to say, nobody is there to hear it. */
Test(seeds, may_be_freed_while_a_name_is_being_resolved)
{
	struct seeds *s = name("tcp://broker.gatepost.invalid:7400,ipc:///a");
	struct timer *t = timer_new(loop, stop, loop);

	seeds_free(s);
	timer_after(t, 100);
	loop_run(loop);
	timer_free(t);
	cr_assert(eq(str, told, "ipc:///a;"));
}

Test(seeds, freeing_none_is_fine)
{
	seeds_free(NULL);
}
