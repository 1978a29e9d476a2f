#include "fixture.h"

#include "../base/capture.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(management, FIXTURE);

static const char ONE[] = "/@connections/AAEAAAAMAAAAAAc=";

Test(management, it_serves_all_of_its_addresses)
{
	struct client *c;

	fixture.conf.addresses = "127.0.0.1:0,127.0.0.2:0,[::1]:0";
	fixture_start();
	for (size_t i = 0; i < 3; i++) {
		c = client_at(i);
		client_ask(c, "GET", ONE, "", "");
		fixture_until_commands(i + 1);
		fake_commands_end(i, ERR_NOTFOUND, NULL);
		expect_error(client_reply(c), 410, "GoneException");
	}
}

static struct management *open_at(const char *addresses, enum auth_mode mode,
				  const char *credentials)
{
	fixture.conf.addresses = addresses;
	fixture.conf.auth = (struct auth_conf){.mode = mode, .credentials = credentials};
	return management_new(&fixture.conf,
			      &(struct management_uses){.loop = fixture.loop,
							.metrics = fixture.metrics,
							.store = &fake_store,
							.commands = &fake_commands});
}

Test(management,
     without_authentication_it_listens_on_loopback_alone_and_on_eight_addresses_at_most)
{
	static const char nine[] = "[::1]:0,[::1]:0,[::1]:0,[::1]:0,[::1]:0,"
				   "[::1]:0,[::1]:0,[::1]:0,[::1]:0";
	static const char *const wrong[] = {
		"0.0.0.0:0", "127.0.0.1:0,0.0.0.0:0", "127.0.0.1", "nonsense",
		"",          "127.0.0.1:0,",          nine,
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		cr_assert_null(open_at(wrong[i], AUTH_NONE, NULL), "%s", wrong[i]);
	cr_assert_null(open_at("127.0.0.1:0", AUTH_BEARER, "/nonexistent/credentials"));
}

Test(management, a_web_page_and_a_request_for_another_host_are_403)
{
	static const char *const wrong[] = {
		"Host: evil.example\r\n",
		"Host: localhost\r\nOrigin: http://localhost\r\n",
		"Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
	};
	struct client *c = NULL;
	char *text;

	fixture.conf.hosts = "gateway.internal";
	fixture_start();
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		c = client_new();
		text = xasprintf("GET %s HTTP/1.1\r\n%s\r\n", ONE, wrong[i]);
		client_send(c, text);
		expect_error(client_reply(c), 403, "ForbiddenException");
		free(text);
	}
	cr_assert_eq(fake_commands.n, 0);
	text = xasprintf("GET %s HTTP/1.1\r\nHost: gateway.internal:1\r\n\r\n", ONE);
	client_send(c, text);
	fixture_until_commands(1);
	free(text);
}

Test(management,
     what_the_server_refuses_by_itself_has_the_class_of_an_exception_and_a_log_line)
{
	static const struct {
		const char *request, *type;
		int status;
	} rows[] = {
		{"GET / HTTP/1.1\r\n\r\n", "BadRequestException", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
		 "2\r\n\r\n",
		 "BadRequestException", 400},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
		 "NotImplementedException", 501},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
		 "PayloadTooLargeException", 413},
		{"GET / HTTP/3.0\r\n\r\n", "BadRequestException", 505},
	};

	fixture_start();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct client *c = client_new();
		struct capture *cap = capture_start(STDERR_FILENO);
		char *lines;

		client_send(c, rows[i].request);
		expect_error(client_reply(c), rows[i].status, rows[i].type);
		client_until_closed(c);
		lines = capture_end(cap);
		if (i == 0) /* once a second at most */
			cr_assert_not_null(strstr(lines, "management.refused status=400"),
					   "%s", lines);
		free(lines);
	}
	cr_assert_eq(metric_of("management_refused_total{why=\"malformed\"} "), 4);
	cr_assert_eq(metric_of("management_refused_total{why=\"too large\"} "), 1);
}

Test(management, a_request_that_does_not_arrive_in_time_is_408)
{
	struct client *c;

	fixture.conf.timeout_ms = 100;
	fixture_start();
	c = client_new();
	client_send(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na");
	expect_error(client_reply(c), 408, "RequestTimeoutException");
	cr_assert_eq(metric_of("management_refused_total{why=\"late\"} "), 1);
}

Test(management, requests_over_those_that_may_wait_are_503)
{
	struct client *a, *b;

	fixture.conf.requests = 1;
	fixture_start();
	a = client_new();
	b = client_new();
	client_ask(a, "GET", ONE, "", "");
	fixture_until_commands(1);
	cr_assert_eq(metric_of("management_requests "), 1);
	cr_assert_eq(metric_of("management_connections "), 2);
	client_ask(b, "GET", ONE, "", "");
	expect_error(client_reply(b), 503, "ServiceUnavailableException");
	cr_assert_eq(metric_of("management_refused_total{why=\"requests\"} "), 1);
	fake_commands_end(0, ERR_NOTFOUND, NULL);
	expect_error(client_reply(a), 410, "GoneException");
	cr_assert_eq(metric_of("management_requests "), 0);
	client_ask(b, "GET", ONE, "", "");
	fixture_until_commands(2);
}

Test(management, a_newcomer_is_503_when_each_connection_has_a_request_and_that_is_logged)
{
	struct capture *cap;
	struct client *a, *b;
	char *lines;

	fixture.conf.connections = 1;
	fixture_start();
	a = client_new();
	client_ask(a, "GET", ONE, "", "");
	fixture_until_commands(1);
	cap = capture_start(STDERR_FILENO);
	b = client_new();
	expect_error(client_reply(b), 503, "ServiceUnavailableException");
	client_until_closed(b);
	lines = capture_end(cap);
	cr_assert_not_null(strstr(lines, "warn"), "%s", lines);
	cr_assert_not_null(strstr(lines, "management.full connections=1"), "%s", lines);
	free(lines);
}

Test(management, it_may_be_freed_while_requests_wait_for_commands_and_the_store)
{
	struct client *a, *b, *c;

	fixture_start();
	a = client_new();
	b = client_new();
	c = client_new();
	client_ask(a, "GET", ONE, "", "");
	client_ask(b, "GET", "/@connections", "", "");
	client_ask(c, "GET", "/@disconnects", "", "");
	fixture_until_commands(1);
	fixture_until_questions(2);
	management_free(fixture.management);
	fixture.management = NULL;
	cr_assert(fake_commands.all[0].is_cancelled);
	client_until_closed(a);
	client_until_closed(b);
	client_until_closed(c);
}
