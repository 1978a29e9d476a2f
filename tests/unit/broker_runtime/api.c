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

/* What a worker gets and gives */

Test(runtime_api, a_worker_gets_the_event_with_the_headers_that_its_client_needs)
{
	char text[TEXT];
	int64_t before = clock_wall_ms();

	runtime_fixture_start(10, 1000);
	int fd = worker_new();
	worker_polls(fd);
	cr_assert_not(worker_hears(fd));
	runtime_fixture_invoke_for("id-1=", 5000, false);
	cr_assert_eq(worker_response(fd, text), 200);
	cr_assert_not_null(strstr(text, "\r\nContent-Type: application/json\r\n"));
	cr_assert_not_null(strstr(text, "\r\nLambda-Runtime-Aws-Request-Id: id-1=\r\n"));
	cr_assert_not_null(strstr(text, "\r\nLambda-Runtime-Invoked-Function-Arn: "
					"arn:aws:lambda:r:1:function:f\r\n"));
	cr_assert_not_null(strstr(text, "\r\nLambda-Runtime-Trace-Id: Root=1-"));
	int64_t deadline = atoll(strstr(text, "Deadline-Ms: ") + 13);
	cr_assert_geq(deadline, before + 5000);
	cr_assert_leq(deadline, clock_wall_ms() + 5000);
	cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "{\"a\":1}");
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, what_a_worker_returns_is_the_payload_and_it_may_poll_again)
{
	char text[TEXT];

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	worker_says(fd, "POST", "/2018-06-01/runtime/invocation/a/response",
		    "{\"statusCode\":200}");
	cr_assert_eq(worker_response(fd, text), 202);
	cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "{\"status\":\"OK\"}");
	cr_assert_eq(runtime_fixture.n, 1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_OK);
	cr_assert_str_eq(runtime_fixture.ended[0].payload, "{\"statusCode\":200}");
	worker_polls(fd);
	runtime_fixture_invoke("b");
	cr_assert(worker_is_given(fd, "b"));
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, an_id_may_come_back_escaped)
{
	runtime_fixture_start(10, 1000);
	int fd = worker_at("a-_=");
	cr_assert_eq(worker_answers(fd, "a-_%3D", "response", "1"), 202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_OK);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, what_a_function_throws_is_named_without_its_trace)
{
	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	cr_assert_eq(
		worker_answers(fd, "a", "error",
			       "{\"errorMessage\":\"no \\u00fc\",\"errorType\":\"Oops\","
			       "\"stackTrace\":[\"secret\"]}"),
		202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_fixture.ended[0].why, "Oops: no ü");
	cr_assert_not_null(strstr(runtime_fixture.ended[0].payload, "\"errorMessage\""));
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, an_error_that_is_no_json_or_endless_is_still_one_short_line)
{
	char *endless =
		xasprintf("{\"errorMessage\":\"%4000d\",\"errorType\":\"%4000d\"}", 1, 2);

	runtime_fixture_start(10, 1000);
	int fd = worker_new();
	for (int i = 0; i < 2; i++) {
		runtime_fixture_invoke("a");
		worker_polls(fd);
		cr_assert(worker_is_given(fd, "a"));
		cr_assert_eq(worker_answers(fd, "a", "error", i ? endless : "what"), 202);
		cr_assert_eq(runtime_fixture.ended[i].kind, RESULT_FAILED);
		cr_assert_leq(strlen(runtime_fixture.ended[i].why), 511);
	}
	cr_assert_str_eq(runtime_fixture.ended[0].why,
			 "an error without a type: (no message)");
	close(fd);
	free(endless);
	runtime_fixture_stop();
}

static int answers_with(int fd, const char *id, size_t n)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	char *big = xcalloc(1, n), head[300];
	size_t sent = 0;

	snprintf(head, sizeof head,
		 "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: "
		 "localhost\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 id, n);
	cr_assert_eq(write(fd, head, strlen(head)), (ssize_t)strlen(head));
	while (sent < n && clock_ms() < until) {
		ssize_t some = send(fd, big + sent, n - sent, MSG_DONTWAIT);

		if (some > 0)
			sent += (size_t)some;
		else
			runtime_fixture_turn();
	}
	free(big);
	return worker_status(fd);
}

Test(runtime_api,
     an_answer_over_six_mebibytes_fails_the_invocation_and_its_worker_hears_that_all_is_well)
{
	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	cr_assert_eq(answers_with(fd, "a", 10 << 20), 202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_fixture.ended[0].why,
			 "Function.ResponseSizeTooLarge: it returned 10485760 bytes, at "
			 "most 6291556 are taken; return less, or where the rest can be "
			 "found");
	worker_polls(fd);
	runtime_fixture_invoke("b");
	cr_assert(worker_is_given(fd, "b"));
	cr_assert_eq(answers_with(fd, "b", 6291556), 202);
	cr_assert_eq(runtime_fixture.ended[1].kind, RESULT_OK);
	close(fd);
	runtime_fixture_stop();
}

/* More than any function may return: read no further, and the worker with it. */
Test(runtime_api, an_answer_over_64_mebibytes_is_refused_and_its_worker_is_lost)
{
	static const char head[] =
		"POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\n"
		"Host: localhost\r\nContent-Length: 67108865\r\n\r\n";

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	cr_assert_eq(write(fd, head, strlen(head)), (ssize_t)strlen(head));
	cr_assert_eq(worker_status(fd), 413);
	close(fd);
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(runtime_fixture.ended[0].why,
			 "the worker died before it answered");
	runtime_fixture_stop();
}

Test(runtime_api, an_error_with_a_trace_of_a_mebibyte_in_a_header_is_read)
{
	char *text = xasprintf("POST /2018-06-01/runtime/invocation/a/error HTTP/1.1\r\n"
			       "Host: localhost\r\n"
			       "Lambda-Runtime-Function-Error-Type: Oops\r\n"
			       "Lambda-Runtime-Function-XRay-Error-Cause: %01048576d\r\n"
			       "Content-Length: 2\r\n\r\n{}",
			       0);
	size_t n = strlen(text), sent = 0;
	int64_t until = clock_ms() + PATIENCE_MS;

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	while (sent < n && clock_ms() < until) {
		ssize_t some = send(fd, text + sent, n - sent, MSG_DONTWAIT);

		if (some > 0)
			sent += (size_t)some;
		else
			runtime_fixture_turn();
	}
	cr_assert_eq(worker_status(fd), 202);
	cr_assert_str_eq(runtime_fixture.ended[0].why, "Oops: (no message)");
	close(fd);
	free(text);
	runtime_fixture_stop();
}

Test(runtime_api, a_worker_that_runs_an_invocation_may_not_poll)
{
	char text[TEXT];

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	worker_polls(fd);
	cr_assert_eq(worker_response(fd, text), 403);
	cr_assert_not_null(strstr(text, "\"errorType\":\"InvalidStateTransition\""));
	cr_assert_eq(worker_answers(fd, "a", "response", "1"), 202);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_OK);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, an_answer_and_the_next_poll_may_come_in_one_write)
{
	static const char both[] =
		"POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\n"
		"Host: localhost\r\nContent-Length: 1\r\n\r\n1"
		"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: "
		"localhost\r\n\r\n";

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	cr_assert_eq(write(fd, both, strlen(both)), (ssize_t)strlen(both));
	cr_assert_eq(worker_status(fd), 202);
	cr_assert_not(worker_hears(fd));
	runtime_fixture_invoke("b");
	cr_assert(worker_is_given(fd, "b"));
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, the_end_of_its_sending_side_is_the_end_of_a_worker)
{
	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	shutdown(fd, SHUT_WR);
	runtime_fixture_ended(1);
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, an_id_that_nothing_runs_under_is_refused_and_its_worker_polls_on)
{
	char text[TEXT];

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	worker_says(fd, "POST", "/2018-06-01/runtime/invocation/b/response", "1");
	cr_assert_eq(worker_response(fd, text), 400);
	cr_assert_not_null(strstr(text, "\"errorType\":\"InvalidRequestID\""));
	cr_assert_eq(runtime_fixture.n, 0);
	cr_assert_eq(worker_answers(fd, "a", "response", "1"), 202);
	cr_assert_eq(runtime_fixture.n, 1);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api,
     a_web_page_gets_no_invocation_and_neither_does_who_takes_us_for_another_host)
{
	static const char *const headers[] = {
		"Host: evil.example",
		"Host: localhost\r\nOrigin: http://evil.example",
		"Host: localhost\r\nSec-Fetch-Site: cross-site",
	};
	char poll[200];

	runtime_fixture_start(10, 1000);
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		int fd = worker_new();

		snprintf(poll, sizeof poll,
			 "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n%s\r\n\r\n",
			 headers[i]);
		cr_assert_eq(write(fd, poll, strlen(poll)), (ssize_t)strlen(poll));
		cr_assert_eq(worker_status(fd), 403, "%s", headers[i]);
		close(fd);
	}
	runtime_fixture_stop();
}

Test(runtime_api, nothing_is_read_behind_an_answer_with_two_lengths)
{
	static const char answer[] =
		"POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\n"
		"Host: localhost\r\nContent-Length: 2\r\nContent-Length: 60\r\n\r\n{}"
		"GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n";
	char text[TEXT];

	runtime_fixture_start(10, 1000);
	int fd = worker_at("a");
	cr_assert_eq(write(fd, answer, strlen(answer)), (ssize_t)strlen(answer));
	cr_assert_eq(worker_response(fd, text), 400);
	cr_assert(strstr(text, "pong") == NULL);
	runtime_fixture_ended(1); /* its worker's connection has been closed */
	cr_assert_eq(runtime_fixture.ended[0].kind, RESULT_FAILED);
	close(fd);
	runtime_fixture_stop();
}

Test(runtime_api, what_is_not_in_the_api_is_refused)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = {
		{"GET", "/ping", 200},
		{"GET", "/", 404},
		{"GET", "/2018-06-01/runtime/", 404},
		{"GET", "/2018-06-02/runtime/invocation/next", 404},
		{"POST", "/2018-06-01/runtime/invocation/next", 404},
		{"POST", "/2018-06-01/runtime/invocation/x", 404},
		{"POST", "/2018-06-01/runtime/invocation/x/what", 404},
		{"POST", "/2018-06-01/runtime/invocation/x/response", 400},
		{"POST", "/2018-06-01/runtime/invocation//error", 400},
		{"GET", "/2018-06-01/runtime/init/error", 404},
		{"DELETE", "/2018-06-01/runtime/invocation/next", 404},
		{"PATCH", "/2018-06-01/runtime/invocation/next", 404},
	};

	runtime_fixture_start(10, 5000);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int fd = worker_new();

		worker_says(fd, rows[i].method, rows[i].path, "");
		cr_expect_eq(worker_status(fd), rows[i].status, "%s %s", rows[i].method,
			     rows[i].path);
		close(fd);
	}
	runtime_fixture_stop();
}

/* The address */

Test(runtime_api, an_address_that_is_taken_is_refused)
{
	runtime_fixture_start(10, 5000);
	cr_assert_null(
		runtime_new(runtime_fixture.loop, NULL,
			    &(struct runtime_conf){.function = "g",
						   .address = runtime_address(
							   runtime_fixture.runtime)}));
	cr_assert_null(runtime_new(
		runtime_fixture.loop, NULL,
		&(struct runtime_conf){.function = "g", .address = "nonsense"}));
	runtime_fixture_stop();
}
