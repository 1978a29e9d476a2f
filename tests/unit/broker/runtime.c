#include "broker/runtime.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A runtime on a loop that turns only while a test waits, and workers that are plain sockets. */

enum { PATIENCE_MS = 10000, ENDS = 8, TEXT = 8192 };

static struct bed {
	struct loop *loop;
	struct metrics *metrics;
	struct runtime *runtime;
	int n; /* ends of invocations */
	struct {
		enum result_kind kind;
		char why[600], payload[600];
		const char *which;
	} ended[ENDS];
	bool frees; /* the runtime, when an invocation ends */
} bed;

static void on_end(void *arg, const struct result *r)
{
	int i = bed.n++;

	bed.ended[i].kind = r->kind;
	bed.ended[i].which = arg;
	snprintf(bed.ended[i].why, sizeof bed.ended[i].why, "%s", r->why ? r->why : "");
	snprintf(bed.ended[i].payload, sizeof bed.ended[i].payload, "%.*s",
		 SPAN_ARG(r->payload));
	if (bed.frees)
		runtime_free(bed.runtime);
}

static void set_up(int64_t queue, int64_t wait_ms)
{
	bed = (struct bed){.loop = loop_new(), .metrics = metrics_new()};
	bed.runtime = runtime_new(bed.loop, bed.metrics,
				  &(struct runtime_conf){.function = "f",
							 .address = "127.0.0.1:0",
							 .queue = queue,
							 .wait_ms = wait_ms});
	cr_assert_not_null(bed.runtime);
}

static void tear_down(void)
{
	if (!bed.frees)
		runtime_free(bed.runtime);
	loop_free(bed.loop);
	metrics_free(bed.metrics);
}

static void turn(void)
{
	struct timeval a_moment = {.tv_usec = 1000};

	event_base_loopexit(loop_base(bed.loop), &a_moment);
	event_base_dispatch(loop_base(bed.loop));
}

static void invoke_for(const char *id, int64_t timeout_ms, bool again)
{
	runtime_invoke(bed.runtime,
		       &(struct runtime_request){.id = id,
						 .arn = "arn:aws:lambda:r:1:function:f",
						 .event = blob_new(span_str("{\"a\":1}")),
						 .timeout_ms = timeout_ms,
						 .again = again},
		       on_end, (void *)(uintptr_t)id);
}

static void invoke(const char *id)
{
	invoke_for(id, PATIENCE_MS, false);
}

/* Turn until n invocations have ended in all. */
static void ended(int n)
{
	int64_t until = clock_ms() + PATIENCE_MS;

	while (bed.n < n && clock_ms() < until)
		turn();
	cr_assert_eq(bed.n, n);
}

/* Workers */

static int worker(void)
{
	struct address a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(address_parse(runtime_address(bed.runtime), &a), OK);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a.sa, a.n), 0);
	return fd;
}

static void say(int fd, const char *method, const char *path, const char *body)
{
	char *text =
		xasprintf("%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
			  method, path, strlen(body), body);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	free(text);
}

static void polls(int fd)
{
	say(fd, "GET", "/2018-06-01/runtime/invocation/next", "");
}

/* Has something come for it, when all has been done that could be? */
static bool hears(int fd)
{
	char c;

	for (int i = 0; i < 20; i++)
		turn();
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

/* One whole response; its status. */
static int response(int fd, char text[TEXT])
{
	int64_t until = clock_ms() + PATIENCE_MS;
	size_t n = 0, whole = TEXT - 1;

	text[0] = '\0';
	while (n < whole && clock_ms() < until) {
		ssize_t got = recv(fd, text + n, 1, MSG_DONTWAIT);

		if (got == 0)
			break;
		if (got == -1) {
			turn();
			continue;
		}
		text[++n] = '\0';
		if (n > 4 && whole == TEXT - 1 && strcmp(text + n - 4, "\r\n\r\n") == 0)
			whole = n +
				(size_t)atoi(strcasestr(text, "Content-Length: ") + 16);
	}
	cr_assert_eq(n, whole, "%s", text);
	return atoi(text + sizeof "HTTP/1.1");
}

static int status(int fd)
{
	char text[TEXT];

	return response(fd, text);
}

/* It has been given the invocation of this id. */
static bool is_given(int fd, const char *id)
{
	char text[TEXT], *header = xasprintf("Lambda-Runtime-Aws-Request-Id: %s\r\n", id);
	bool given = response(fd, text) == 200 && strstr(text, header) != NULL;

	free(header);
	return given;
}

static int answers(int fd, const char *id, const char *how, const char *body)
{
	char path[200];

	snprintf(path, sizeof path, "/2018-06-01/runtime/invocation/%s/%s", id, how);
	say(fd, "POST", path, body);
	return status(fd);
}

static void tear(int fd)
{
	close(fd);
	for (int i = 0; i < 5; i++)
		turn();
}

static double metric(const char *line)
{
	struct evbuffer *out = evbuffer_new();
	char *text;
	double value = -1;

	metrics_print(bed.metrics, out);
	evbuffer_add(out, "", 1);
	text = strstr((char *)evbuffer_pullup(out, -1), line);
	if (text != NULL)
		value = atof(text + strlen(line));
	evbuffer_free(out);
	return value;
}

/* What a worker gets and gives */

Test(runtime, a_worker_gets_the_event_with_the_headers_that_its_client_needs)
{
	char text[TEXT];
	int64_t before = clock_wall_ms();

	set_up(10, 1000);
	int fd = worker();
	polls(fd);
	cr_assert_not(hears(fd));
	invoke_for("id-1=", 5000, false);
	cr_assert_eq(response(fd, text), 200);
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
	tear_down();
}

Test(runtime, what_a_worker_returns_is_the_payload_and_it_may_poll_again)
{
	char text[TEXT];

	set_up(10, 1000);
	int fd = worker();
	invoke("a");
	polls(fd);
	cr_assert(is_given(fd, "a"));
	say(fd, "POST", "/2018-06-01/runtime/invocation/a/response",
	    "{\"statusCode\":200}");
	cr_assert_eq(response(fd, text), 202);
	cr_assert_str_eq(strstr(text, "\r\n\r\n") + 4, "{\"status\":\"OK\"}");
	cr_assert_eq(bed.n, 1);
	cr_assert_eq(bed.ended[0].kind, RESULT_OK);
	cr_assert_str_eq(bed.ended[0].payload, "{\"statusCode\":200}");
	polls(fd);
	invoke("b");
	cr_assert(is_given(fd, "b"));
	close(fd);
	tear_down();
}

Test(runtime, an_id_may_come_back_escaped)
{
	set_up(10, 1000);
	int fd = worker();
	invoke("a-_=");
	polls(fd);
	cr_assert(is_given(fd, "a-_="));
	cr_assert_eq(answers(fd, "a-_%3D", "response", "1"), 202);
	cr_assert_eq(bed.ended[0].kind, RESULT_OK);
	close(fd);
	tear_down();
}

Test(runtime, what_a_function_throws_is_named_without_its_trace)
{
	set_up(10, 1000);
	int fd = worker();
	invoke("a");
	polls(fd);
	cr_assert(is_given(fd, "a"));
	cr_assert_eq(answers(fd, "a", "error",
			     "{\"errorMessage\":\"no \\u00fc\",\"errorType\":\"Oops\","
			     "\"stackTrace\":[\"secret\"]}"),
		     202);
	cr_assert_eq(bed.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(bed.ended[0].why, "Oops: no ü");
	cr_assert_not_null(strstr(bed.ended[0].payload, "\"errorMessage\""));
	close(fd);
	tear_down();
}

Test(runtime, an_error_that_is_no_json_or_endless_is_still_one_short_line)
{
	char *endless =
		xasprintf("{\"errorMessage\":\"%4000d\",\"errorType\":\"%4000d\"}", 1, 2);

	set_up(10, 1000);
	int fd = worker();
	for (int i = 0; i < 2; i++) {
		invoke("a");
		polls(fd);
		cr_assert(is_given(fd, "a"));
		cr_assert_eq(answers(fd, "a", "error", i ? endless : "what"), 202);
		cr_assert_eq(bed.ended[i].kind, RESULT_FAILED);
		cr_assert_leq(strlen(bed.ended[i].why), 511);
	}
	cr_assert_str_eq(bed.ended[0].why, "an error without a type: (no message)");
	close(fd);
	free(endless);
	tear_down();
}

Test(runtime, an_answer_over_six_mebibytes_is_refused_with_413_and_fails_the_invocation)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	size_t n = 10 << 20, sent = 0;
	char *big = xcalloc(1, n), head[300];

	set_up(10, 1000);
	int fd = worker();
	invoke("a");
	polls(fd);
	cr_assert(is_given(fd, "a"));
	snprintf(head, sizeof head,
		 "POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\nHost: h\r\n"
		 "Content-Length: %zu\r\n\r\n",
		 n);
	cr_assert_eq(write(fd, head, strlen(head)), (ssize_t)strlen(head));
	while (sent < n && clock_ms() < until) {
		ssize_t some = send(fd, big + sent, n - sent, MSG_DONTWAIT);

		if (some > 0)
			sent += (size_t)some;
		else
			turn();
	}
	cr_assert_eq(status(fd), 413);
	cr_assert_eq(bed.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(bed.ended[0].why,
			 "it returned 10485760 bytes, at most 6 MiB are taken");
	polls(fd);
	invoke("b");
	cr_assert(is_given(fd, "b"));
	close(fd);
	free(big);
	tear_down();
}

/* Who gets what */

Test(runtime, as_many_run_at_a_time_as_poll_and_the_others_wait_in_order)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	invoke("1");
	invoke("2");
	invoke("3");
	polls(a);
	cr_assert(is_given(a, "1"));
	polls(b);
	cr_assert(is_given(b, "2"));
	cr_assert_not(hears(a));
	cr_assert_eq(answers(b, "2", "response", "2"), 202);
	polls(b);
	cr_assert(is_given(b, "3"));
	close(a);
	close(b);
	tear_down();
}

Test(runtime, an_invocation_goes_to_the_worker_that_has_waited_longest)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	polls(b);
	cr_assert_not(hears(b));
	polls(a);
	cr_assert_not(hears(a));
	invoke("1");
	cr_assert(is_given(b, "1"));
	cr_assert_not(hears(a));
	close(a);
	close(b);
	tear_down();
}

Test(runtime, a_worker_that_has_not_answered_gets_no_second_invocation)
{
	set_up(10, 5000);
	int fd = worker();
	invoke("1");
	invoke("2");
	polls(fd);
	cr_assert(is_given(fd, "1"));
	polls(fd);
	cr_assert_eq(status(fd), 403);
	cr_assert_eq(answers(fd, "1", "response", "1"), 202);
	polls(fd);
	cr_assert(is_given(fd, "2"));
	close(fd);
	tear_down();
}

Test(runtime, more_than_may_wait_are_throttled)
{
	set_up(2, 5000);
	invoke("1");
	invoke("2");
	cr_assert_eq(bed.n, 0);
	invoke("3");
	cr_assert_eq(bed.n, 1);
	cr_assert_eq(bed.ended[0].kind, RESULT_THROTTLED);
	cr_assert_str_eq(bed.ended[0].which, "3");
	tear_down();
}

Test(runtime, with_no_room_to_wait_a_worker_that_polls_still_gets_one)
{
	set_up(0, 5000);
	int fd = worker();
	polls(fd);
	cr_assert_not(hears(fd));
	invoke("1");
	cr_assert(is_given(fd, "1"));
	invoke("2");
	cr_assert_eq(bed.ended[0].kind, RESULT_THROTTLED);
	close(fd);
	tear_down();
}

Test(runtime, where_nobody_polls_an_invocation_ends_as_unreachable)
{
	set_up(10, 20);
	invoke("1");
	ended(1);
	cr_assert_eq(bed.ended[0].kind, RESULT_UNREACHABLE);
	cr_assert_not_null(strstr(bed.ended[0].why, runtime_address(bed.runtime)));
	tear_down();
}

Test(runtime, where_all_are_busy_for_too_long_it_ends_as_throttled)
{
	set_up(10, 20);
	int fd = worker();
	polls(fd);
	cr_assert_not(hears(fd));
	invoke("1");
	cr_assert(is_given(fd, "1"));
	invoke("2");
	ended(1);
	cr_assert_eq(bed.ended[0].kind, RESULT_THROTTLED);
	cr_assert_str_eq(bed.ended[0].which, "2");
	close(fd);
	tear_down();
}

/* What goes wrong */

Test(runtime, a_late_answer_is_refused_and_the_worker_goes_on)
{
	set_up(10, 5000);
	int fd = worker();
	invoke_for("1", 20, false);
	polls(fd);
	cr_assert(is_given(fd, "1"));
	ended(1);
	cr_assert_eq(bed.ended[0].kind, RESULT_TIMEOUT);
	cr_assert_str_eq(bed.ended[0].why, "Task timed out after 0.02 seconds");
	char text[TEXT];
	say(fd, "POST", "/2018-06-01/runtime/invocation/1/response", "1");
	cr_assert_eq(response(fd, text), 400);
	cr_assert_not_null(strstr(text, "{\"errorMessage\":\"Invalid request ID\","
					"\"errorType\":\"InvalidRequestID\"}"));
	polls(fd);
	invoke("2");
	cr_assert(is_given(fd, "2"));
	cr_assert_eq(bed.n, 1);
	close(fd);
	tear_down();
}

Test(runtime, the_time_of_an_invocation_begins_when_a_worker_has_it)
{
	set_up(10, 5000);
	int fd = worker();
	invoke_for("1", 150, false);
	for (int64_t until = clock_ms() + 200; clock_ms() < until;)
		turn();
	cr_assert_eq(bed.n, 0);
	polls(fd);
	cr_assert(is_given(fd, "1"));
	cr_assert_eq(answers(fd, "1", "response", "1"), 202);
	cr_assert_eq(bed.ended[0].kind, RESULT_OK);
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
	cr_assert_str_eq(bed.ended[1].payload, "right");
	close(a);
	close(b);
	tear_down();
}

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
	cr_assert_eq(bed.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(bed.ended[0].why, "the worker died before it answered");
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
	cr_assert_eq(bed.n, 0);
	polls(b);
	cr_assert(is_given(b, "1"));
	polls(c);
	tear(b);
	ended(1);
	cr_assert_eq(bed.ended[0].kind, RESULT_FAILED);
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
	cr_assert_eq(bed.ended[0].kind, RESULT_FAILED);
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
	cr_assert_eq(bed.ended[0].kind, RESULT_OK);
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
	cr_assert_eq(bed.n, 0);
	fd = worker();
	cr_assert_eq(answers(fd, "1", "response", "1"), 202);
	cr_assert_eq(bed.ended[0].kind, RESULT_OK);
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
	cr_assert_eq(bed.ended[0].kind, RESULT_FAILED);
	cr_assert_str_eq(bed.ended[0].why,
			 "it cannot start: Runtime.ImportModuleError: no handler");
	invoke("2");
	cr_assert_eq(bed.n, 2);
	close(fd);
	fd = worker();
	polls(fd);
	cr_assert_not(hears(fd));
	invoke("3");
	cr_assert(is_given(fd, "3"));
	tear(fd);
	ended(3);
	invoke("4");
	cr_assert_eq(bed.n, 3);
	tear_down();
}

Test(runtime, what_is_not_in_the_api_is_refused)
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
		{"PATCH", "/2018-06-01/runtime/invocation/next", 501},
	};

	set_up(10, 5000);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int fd = worker();

		say(fd, rows[i].method, rows[i].path, "");
		cr_expect_eq(status(fd), rows[i].status, "%s %s", rows[i].method,
			     rows[i].path);
		close(fd);
	}
	tear_down();
}

Test(runtime, it_may_be_freed_from_inside_an_end_with_others_waiting_running_and_polling)
{
	set_up(10, 5000);
	int a = worker(), b = worker(), c = worker();
	invoke("1");
	invoke("2");
	polls(a);
	cr_assert(is_given(a, "1"));
	polls(b);
	cr_assert(is_given(b, "2"));
	invoke("3");
	polls(c);
	cr_assert(is_given(c, "3"));
	invoke("4");
	bed.frees = true;
	answers(a, "1", "response", "1");
	cr_assert_eq(bed.n, 1);
	close(a);
	close(b);
	close(c);
	tear_down();
}

Test(runtime, an_address_that_is_taken_is_refused)
{
	set_up(10, 5000);
	cr_assert_null(runtime_new(
		bed.loop, NULL,
		&(struct runtime_conf){.function = "g",
				       .address = runtime_address(bed.runtime)}));
	cr_assert_null(runtime_new(
		bed.loop, NULL,
		&(struct runtime_conf){.function = "g", .address = "nonsense"}));
	tear_down();
}

Test(runtime, it_counts_workers_invocations_and_their_ends)
{
	set_up(10, 5000);
	int a = worker(), b = worker();
	polls(a);
	cr_assert_not(hears(a));
	polls(b);
	cr_assert_not(hears(b));
	invoke("1");
	cr_assert(is_given(a, "1"));
	cr_assert_eq(answers(a, "1", "error", "{}"), 202);
	cr_expect_eq(metric("function_invocations_total{function=\"f\"} "), 1);
	cr_expect_eq(metric("function_errors_total{function=\"f\",kind=\"failed\"} "), 1);
	cr_expect_eq(metric("function_seconds_count{function=\"f\"} "), 1);
	cr_expect_eq(metric("function_workers{function=\"f\"} "), 2);
	cr_expect_eq(metric("function_workers_polling{function=\"f\"} "), 1);
	cr_expect_eq(metric("function_queue{function=\"f\"} "), 0);
	close(a);
	close(b);
	tear_down();
}
