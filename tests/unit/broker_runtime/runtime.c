#include "broker/runtime/runtime.h"

#include "runtime_fixture.h"
#include "workers.h"
#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Who gets what; worker.c has the workers that are late, or die, and api.c what is said over HTTP. */

/* Who gets what */

Test(runtime, as_many_run_at_a_time_as_poll_and_the_others_wait_in_order)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	runtime_fixture_invoke("1");
	runtime_fixture_invoke("2");
	runtime_fixture_invoke("3");
	worker_polls(a);
	cr_assert(worker_is_given(a, "1"));
	worker_polls(b);
	cr_assert(worker_is_given(b, "2"));
	cr_assert_not(worker_hears(a));
	cr_assert_eq(worker_answers(b, "2", "response", "2"), 202);
	worker_polls(b);
	cr_assert(worker_is_given(b, "3"));
	close(a);
	close(b);
	runtime_fixture_stop();
}

Test(runtime, an_invocation_goes_to_the_worker_that_has_waited_longest)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	worker_polls(b);
	cr_assert_not(worker_hears(b));
	worker_polls(a);
	cr_assert_not(worker_hears(a));
	runtime_fixture_invoke("1");
	cr_assert(worker_is_given(b, "1"));
	cr_assert_not(worker_hears(a));
	close(a);
	close(b);
	runtime_fixture_stop();
}

Test(runtime, a_worker_that_has_not_answered_gets_no_second_invocation)
{
	runtime_fixture_start(10, 5000);
	int fd = worker_new();
	runtime_fixture_invoke("1");
	runtime_fixture_invoke("2");
	worker_polls(fd);
	cr_assert(worker_is_given(fd, "1"));
	worker_polls(fd);
	cr_assert_eq(worker_status(fd), 403);
	cr_assert_eq(worker_answers(fd, "1", "response", "1"), 202);
	worker_polls(fd);
	cr_assert(worker_is_given(fd, "2"));
	close(fd);
	runtime_fixture_stop();
}

Test(runtime, more_than_may_wait_are_throttled)
{
	runtime_fixture_start(2, 5000);
	runtime_fixture_invoke("1");
	runtime_fixture_invoke("2");
	cr_assert_eq(runtime_fixture.n, 0);
	runtime_fixture_invoke("3");
	cr_assert_eq(runtime_fixture.n, 1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_THROTTLED);
	cr_assert_str_eq(runtime_fixture.ended[0].which, "3");
	runtime_fixture_stop();
}

static void invoke_of(const char *client, const char *id)
{
	runtime_fixture_invoke_for_client(client, id, PATIENCE_MS, false);
}

Test(runtime, one_client_has_no_more_than_half_of_the_queue)
{
	runtime_fixture_start(4, 5000);
	invoke_of("greedy", "1");
	invoke_of("greedy", "2");
	cr_assert_eq(runtime_fixture.n, 0);
	invoke_of("greedy", "3");
	cr_assert_eq(runtime_fixture.n, 1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_THROTTLED);
	cr_assert_str_eq(runtime_fixture.ended[0].which, "3");
	invoke_of("a", "4");
	invoke_of("b", "5");
	cr_assert_eq(runtime_fixture.n, 1);
	runtime_fixture_stop();
}

Test(runtime, one_client_leaves_a_worker_to_the_others)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	worker_polls(a);
	cr_assert_not(worker_hears(a));
	worker_polls(b);
	cr_assert_not(worker_hears(b));
	invoke_of("greedy", "1");
	invoke_of("greedy", "2");
	cr_assert(worker_is_given(a, "1"));
	cr_assert_not(worker_hears(b));
	invoke_of("modest", "3");
	cr_assert(worker_is_given(b, "3"));
	cr_assert_eq(worker_answers(a, "1", "response", "1"), 202);
	worker_polls(a);
	cr_assert(worker_is_given(a, "2"));
	close(a);
	close(b);
	runtime_fixture_stop();
}

Test(runtime, a_client_that_waits_for_one_comes_before_the_second_one_of_another)
{
	runtime_fixture_start(10, 5000);
	int fd = worker_new();
	invoke_of("greedy", "1");
	invoke_of("greedy", "2");
	invoke_of("greedy", "3");
	invoke_of("modest", "4");
	const char *order[] = {"1", "4", "2", "3"};
	for (int i = 0; i < 4; i++) {
		worker_polls(fd);
		cr_assert(worker_is_given(fd, order[i]));
		cr_assert_eq(worker_answers(fd, order[i], "response", "x"), 202);
	}
	close(fd);
	runtime_fixture_stop();
}

Test(runtime, with_no_room_to_wait_a_worker_that_polls_still_gets_one)
{
	runtime_fixture_start(0, 5000);
	int fd = worker_new();
	worker_polls(fd);
	cr_assert_not(worker_hears(fd));
	runtime_fixture_invoke("1");
	cr_assert(worker_is_given(fd, "1"));
	runtime_fixture_invoke("2");
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_THROTTLED);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime, without_a_polling_worker_an_invocation_ends_as_unreachable)
{
	runtime_fixture_start(10, 20);
	runtime_fixture_invoke("1");
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_UNREACHABLE);
	cr_assert_not_null(strstr(runtime_fixture.ended[0].why,
				  runtime_address(runtime_fixture.runtime)));
	runtime_fixture_stop();
}

Test(runtime, where_all_are_busy_for_too_long_it_ends_as_throttled)
{
	runtime_fixture_start(10, 20);
	int fd = worker_new();
	worker_polls(fd);
	cr_assert_not(worker_hears(fd));
	runtime_fixture_invoke("1");
	cr_assert(worker_is_given(fd, "1"));
	runtime_fixture_invoke("2");
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_THROTTLED);
	cr_assert_str_eq(runtime_fixture.ended[0].which, "2");
	close(fd);
	runtime_fixture_stop();
}

/* The runtime itself */

Test(runtime, it_may_be_freed_from_inside_an_end_with_others_waiting_running_and_polling)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new(), c = worker_new();
	runtime_fixture_invoke("1");
	runtime_fixture_invoke("2");
	worker_polls(a);
	cr_assert(worker_is_given(a, "1"));
	worker_polls(b);
	cr_assert(worker_is_given(b, "2"));
	runtime_fixture_invoke("3");
	worker_polls(c);
	cr_assert(worker_is_given(c, "3"));
	runtime_fixture_invoke("4");
	runtime_fixture.frees = true;
	worker_answers(a, "1", "response", "1");
	cr_assert_eq(runtime_fixture.n, 1);
	close(a);
	close(b);
	close(c);
	runtime_fixture_stop();
}

static double metric(const char *line)
{
	struct evbuffer *out = evbuffer_new();
	char *text;
	double value = -1;

	metrics_print(runtime_fixture.metrics, out);
	evbuffer_add(out, "", 1);
	text = strstr((char *)evbuffer_pullup(out, -1), line);
	if (text != NULL)
		value = atof(text + strlen(line));
	evbuffer_free(out);
	return value;
}

Test(runtime, it_counts_workers_invocations_and_their_ends)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	worker_polls(a);
	cr_assert_not(worker_hears(a));
	worker_polls(b);
	cr_assert_not(worker_hears(b));
	runtime_fixture_invoke("1");
	cr_assert(worker_is_given(a, "1"));
	cr_assert_eq(worker_answers(a, "1", "error", "{}"), 202);
	cr_expect_eq(metric("function_invocations_total{function=\"f\"} "), 1);
	cr_expect_eq(metric("function_errors_total{function=\"f\",kind=\"failed\"} "), 1);
	cr_expect_eq(metric("function_seconds_count{function=\"f\"} "), 1);
	cr_expect_eq(metric("function_workers{function=\"f\"} "), 2);
	cr_expect_eq(metric("function_workers_polling{function=\"f\"} "), 1);
	cr_expect_eq(metric("function_queue{function=\"f\"} "), 0);
	close(a);
	close(b);
	runtime_fixture_stop();
}
