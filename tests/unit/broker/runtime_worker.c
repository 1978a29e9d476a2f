#include "broker/runtime.h"

#include "runtime_bed.h"
#include "base/clock.h"

#include <criterion/criterion.h>
#include <unistd.h>

/* What becomes of an invocation whose worker is late, dies, or comes back. */

/* Late */

Test(runtime, a_late_answer_is_refused_and_the_worker_goes_on)
{
	set_up(10, 5000);
	int fd = worker();
	invoke_for("1", 20, false);
	polls(fd);
	cr_assert(is_given(fd, "1"));
	ended(1);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_TIMEOUT);
	cr_assert_str_eq(runtime_bed.ended[0].why, "Task timed out after 0.02 seconds");
	char text[TEXT];
	say(fd, "POST", "/2018-06-01/runtime/invocation/1/response", "1");
	cr_assert_eq(response(fd, text), 400);
	cr_assert_not_null(strstr(text, "{\"errorMessage\":\"Invalid request ID\","
					"\"errorType\":\"InvalidRequestID\"}"));
	polls(fd);
	invoke("2");
	cr_assert(is_given(fd, "2"));
	cr_assert_eq(runtime_bed.n, 1);
	close(fd);
	tear_down();
}

Test(runtime, the_time_of_an_invocation_begins_when_a_worker_has_it)
{
	set_up(10, 5000);
	int fd = worker();
	invoke_for("1", 1000, false);
	for (int64_t until = clock_ms() + 1100; clock_ms() < until;)
		turn();
	cr_assert_eq(runtime_bed.n, 0);
	polls(fd);
	cr_assert(is_given(fd, "1"));
	cr_assert_eq(answers(fd, "1", "response", "1"), 202);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_OK);
	close(fd);
	tear_down();
}

Test(runtime, the_late_answer_of_one_worker_is_not_taken_for_another_ones)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	invoke_for("same", 20, false);
	polls(a);
	cr_assert(is_given(a, "same"));
	ended(1);
	invoke("same");
	polls(b);
	cr_assert(is_given(b, "same"));
	cr_assert_eq(answers(a, "same", "response", "late"), 400);
	cr_assert_eq(answers(b, "same", "response", "right"), 202);
	cr_assert_str_eq(runtime_bed.ended[1].payload, "right");
	close(a);
	close(b);
	tear_down();
}

/* Dead, or only another connection */

Test(runtime, a_worker_that_dies_fails_its_invocation)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	invoke("1");
	polls(a);
	cr_assert(is_given(a, "1"));
	polls(b);
	tear(a);
	ended(1);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_bed.ended[0].why, "the worker died before it answered");
	cr_assert_not(hears(b));
	close(b);
	tear_down();
}

Test(runtime, one_that_may_be_repeated_is_given_to_a_second_worker_and_to_no_third)
{
	set_up(10, 5000);
	int a = worker(), b = worker(), c = worker();
	invoke_for("1", PATIENCE_MS, true);
	polls(a);
	cr_assert(is_given(a, "1"));
	tear(a);
	cr_assert_eq(runtime_bed.n, 0);
	polls(b);
	cr_assert(is_given(b, "1"));
	polls(c);
	tear(b);
	ended(1);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_FAILED);
	cr_assert_not(hears(c));
	close(c);
	tear_down();
}

Test(runtime, half_an_answer_is_none)
{
	static const char half[] =
		"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\n"
		"Host: h\r\nContent-Length: 100\r\n\r\n{\"sta";

	set_up(10, 5000);
	int fd = worker();
	invoke("1");
	polls(fd);
	cr_assert(is_given(fd, "1"));
	cr_assert_eq(write(fd, half, sizeof half - 1), (ssize_t)sizeof half - 1);
	tear(fd);
	ended(1);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_FAILED);
	tear_down();
}

Test(runtime, a_worker_that_goes_while_it_polls_is_given_nothing)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	polls(a);
	cr_assert_not(hears(a));
	polls(b);
	cr_assert_not(hears(b));
	tear(a);
	invoke("1");
	cr_assert(is_given(b, "1"));
	close(b);
	tear_down();
}

Test(runtime, an_answer_may_come_through_another_connection)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	invoke("1");
	polls(a);
	cr_assert(is_given(a, "1"));
	cr_assert_eq(answers(b, "1", "response", "1"), 202);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_OK);
	polls(a);
	invoke("2");
	cr_assert(is_given(a, "2"));
	close(a);
	close(b);
	tear_down();
}

Test(runtime, a_client_with_a_connection_for_each_request_does_not_die_of_it)
{
	static const char poll[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n"
				   "Host: h\r\nUser-Agent: curl/7.88.1\r\n\r\n";

	set_up(10, 5000);
	invoke("1");
	int fd = worker();
	cr_assert_eq(write(fd, poll, sizeof poll - 1), (ssize_t)sizeof poll - 1);
	cr_assert(is_given(fd, "1"));
	tear(fd);
	cr_assert_eq(runtime_bed.n, 0);
	fd = worker();
	cr_assert_eq(answers(fd, "1", "response", "1"), 202);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_OK);
	close(fd);
	tear_down();
}

Test(runtime, a_function_that_cannot_start_fails_at_once_until_a_worker_polls)
{
	set_up(10, 5000);
	int fd = worker();
	invoke("1");
	say(fd, "POST", "/2018-06-01/runtime/init/error",
	    "{\"errorType\":\"Runtime.ImportModuleError\",\"errorMessage\":\"no "
	    "handler\"}");
	cr_assert_eq(status(fd), 202);
	cr_assert_eq(runtime_bed.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_bed.ended[0].why,
			 "it cannot start: Runtime.ImportModuleError: no handler");
	invoke("2");
	cr_assert_eq(runtime_bed.n, 2);
	close(fd);
	fd = worker();
	polls(fd);
	cr_assert_not(hears(fd));
	invoke("3");
	cr_assert(is_given(fd, "3"));
	tear(fd);
	ended(3);
	invoke("4");
	cr_assert_eq(runtime_bed.n, 3);
	tear_down();
}
