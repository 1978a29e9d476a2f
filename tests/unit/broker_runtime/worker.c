#include "broker/runtime/runtime.h"

#include "runtime_fixture.h"
#include "workers.h"
#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* What becomes of an invocation whose worker is late, dies, or comes back. */

/* Late */

Test(runtime, a_late_answer_is_refused_and_the_worker_goes_on)
{
	runtime_fixture_start(10, 5000);
	int fd = worker_new();
	runtime_fixture_invoke_for("1", 20, false);
	worker_polls(fd);
	cr_assert(worker_is_given(fd, "1"));
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_TIMEOUT);
	cr_assert_str_eq(runtime_fixture.ended[0].why,
			 "Task timed out after 0.02 seconds");
	char text[TEXT];
	worker_says(fd, "POST", "/2018-06-01/runtime/invocation/1/response", "1");
	cr_assert_eq(worker_response(fd, text), 400);
	cr_assert_not_null(strstr(text, "{\"errorMessage\":\"Invalid request ID\","
					"\"errorType\":\"InvalidRequestID\"}"));
	worker_polls(fd);
	runtime_fixture_invoke("2");
	cr_assert(worker_is_given(fd, "2"));
	cr_assert_eq(runtime_fixture.n, 1);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime, the_time_of_an_invocation_begins_when_a_worker_has_it)
{
	runtime_fixture_start(10, 5000);
	int fd = worker_new();
	runtime_fixture_invoke_for("1", 1000, false);
	for (int64_t until = clock_ms() + 1100; clock_ms() < until;)
		runtime_fixture_turn();
	cr_assert_eq(runtime_fixture.n, 0);
	worker_polls(fd);
	cr_assert(worker_is_given(fd, "1"));
	cr_assert_eq(worker_answers(fd, "1", "response", "1"), 202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_OK);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime, the_late_answer_of_one_worker_is_not_taken_for_another_ones)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	runtime_fixture_invoke_for("same", 20, false);
	worker_polls(a);
	cr_assert(worker_is_given(a, "same"));
	runtime_fixture_ended(1);
	runtime_fixture_invoke("same");
	worker_polls(b);
	cr_assert(worker_is_given(b, "same"));
	cr_assert_eq(worker_answers(a, "same", "response", "late"), 400);
	cr_assert_eq(worker_answers(b, "same", "response", "right"), 202);
	cr_assert_str_eq(runtime_fixture.ended[1].payload, "right");
	close(a);
	close(b);
	runtime_fixture_stop();
}

/* Dead, or only another connection */

Test(runtime, a_worker_that_dies_fails_its_invocation)
{
	runtime_fixture_start(10, 5000);
	int a = worker_at("1"), b = worker_new();
	worker_polls(b);
	worker_dies(a);
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_fixture.ended[0].why,
			 "the worker died before it answered");
	cr_assert_not(worker_hears(b));
	close(b);
	runtime_fixture_stop();
}

Test(runtime, one_that_may_be_repeated_is_given_to_a_second_worker_and_to_no_third)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new(), c = worker_new();
	runtime_fixture_invoke_for("1", PATIENCE_MS, true);
	worker_polls(a);
	cr_assert(worker_is_given(a, "1"));
	worker_dies(a);
	cr_assert_eq(runtime_fixture.n, 0);
	worker_polls(b);
	cr_assert(worker_is_given(b, "1"));
	worker_polls(c);
	worker_dies(b);
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	cr_assert_not(worker_hears(c));
	close(c);
	runtime_fixture_stop();
}

Test(runtime, half_an_answer_is_none)
{
	static const char half[] =
		"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\n"
		"Host: localhost\r\nContent-Length: 100\r\n\r\n{\"sta";

	runtime_fixture_start(10, 5000);
	int fd = worker_at("1");
	cr_assert_eq(write(fd, half, sizeof half - 1), (ssize_t)sizeof half - 1);
	worker_dies(fd);
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	runtime_fixture_stop();
}

Test(runtime, a_worker_that_goes_while_it_polls_is_given_nothing)
{
	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	worker_polls(a);
	cr_assert_not(worker_hears(a));
	worker_polls(b);
	cr_assert_not(worker_hears(b));
	worker_dies(a);
	runtime_fixture_invoke("1");
	cr_assert(worker_is_given(b, "1"));
	close(b);
	runtime_fixture_stop();
}

Test(runtime, a_worker_that_polls_sends_more_than_a_head_and_goes_is_given_nothing)
{
	size_t n = 4 << 20, sent = 0;
	char *early = xcalloc(1, n);
	int64_t until = clock_ms() + PATIENCE_MS;

	runtime_fixture_start(10, 5000);
	int a = worker_new(), b = worker_new();
	worker_polls(a);
	cr_assert_not(worker_hears(a));
	worker_polls(b);
	cr_assert_not(worker_hears(b));
	while (sent < n && clock_ms() < until) {
		ssize_t some =
			send(a, early + sent, n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (some > 0)
			sent += (size_t)some;
		else if (errno == EAGAIN)
			runtime_fixture_turn();
		else
			break; /* it was let go */
	}
	worker_dies(a);
	runtime_fixture_invoke("1");
	cr_assert(worker_is_given(b, "1"));
	close(b);
	free(early);
	runtime_fixture_stop();
}

/* What is told of it */

Test(runtime, whoever_started_a_worker_is_told_once_that_it_works_before_it_can_die_of_it)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/gatepost-unit-XXXXXX", text[200];
	int told = socket(AF_UNIX, SOCK_DGRAM, 0);

	cr_assert_not_null(mkdtemp(folder));
	snprintf(at.sun_path, sizeof at.sun_path, "%s/notify.sock", folder);
	cr_assert_eq(bind(told, (struct sockaddr *)&at, sizeof at), 0);
	setenv("NOTIFY_SOCKET", at.sun_path, 1);
	runtime_fixture_start(10, 5000);
	int fd = worker_at("1");
	static const char *const says[] = {"X_GATEPOST_WORKER=polls ",
					   "X_GATEPOST_WORKER=works "};
	for (int i = 0; i < 2; i++) {
		ssize_t n = recv(told, text, sizeof text - 1, MSG_DONTWAIT);

		cr_assert_gt(n, 0);
		text[n] = '\0';
		cr_assert_eq(strncmp(text, says[i], strlen(says[i])), 0, "%s", text);
	}
	cr_assert_eq(worker_answers(fd, "1", "response", "1"), 202);
	worker_polls(fd);
	runtime_fixture_invoke("2");
	cr_assert(worker_is_given(fd, "2"));
	cr_assert_eq(recv(told, text, sizeof text, MSG_DONTWAIT), -1);
	close(fd);
	close(told);
	unlink(at.sun_path);
	rmdir(folder);
	runtime_fixture_stop();
}

Test(runtime, an_answer_may_come_through_another_connection)
{
	runtime_fixture_start(10, 5000);
	int a = worker_at("1"), b = worker_new();
	cr_assert_eq(worker_answers(b, "1", "response", "1"), 202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_OK);
	worker_polls(a);
	runtime_fixture_invoke("2");
	cr_assert(worker_is_given(a, "2"));
	close(a);
	close(b);
	runtime_fixture_stop();
}

Test(runtime, a_client_with_a_connection_for_each_request_does_not_die_of_it)
{
	static const char *const ends[] = {
		" HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/7.88.1\r\n\r\n",
		" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		" HTTP/1.0\r\nHost: localhost\r\n\r\n",
	};

	runtime_fixture_start(10, 5000);
	for (int i = 0; i < 3; i++) {
		char *poll =
			xasprintf("GET /2018-06-01/runtime/invocation/next%s", ends[i]);
		int fd = worker_new();

		runtime_fixture_invoke("1");
		cr_assert_eq(write(fd, poll, strlen(poll)), (ssize_t)strlen(poll));
		cr_assert(worker_is_given(fd, "1"));
		worker_dies(fd);
		cr_assert_eq(runtime_fixture.n, i, "%s", ends[i]);
		fd = worker_new();
		cr_assert_eq(worker_answers(fd, "1", "response", "1"), 202);
		cr_assert_eq(runtime_fixture.ended[i].kind, RESULT_OK);
		close(fd);
		free(poll);
	}
	runtime_fixture_stop();
}

Test(runtime, a_function_that_cannot_start_fails_at_once_until_a_worker_polls)
{
	runtime_fixture_start(10, 5000);
	int fd = worker_new();
	runtime_fixture_invoke("1");
	worker_says(fd, "POST", "/2018-06-01/runtime/init/error",
		    "{\"errorType\":\"Runtime.ImportModuleError\",\"errorMessage\":\"no "
		    "handler\"}");
	cr_assert_eq(worker_status(fd), 202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_fixture.ended[0].why,
			 "function cannot start: Runtime.ImportModuleError: no handler");
	runtime_fixture_invoke("2");
	cr_assert_eq(runtime_fixture.n, 2);
	close(fd);
	fd = worker_new();
	worker_polls(fd);
	cr_assert_not(worker_hears(fd));
	runtime_fixture_invoke("3");
	cr_assert(worker_is_given(fd, "3"));
	worker_dies(fd);
	runtime_fixture_ended(3);
	runtime_fixture_invoke("4");
	cr_assert_eq(runtime_fixture.n, 3);
	runtime_fixture_stop();
}
