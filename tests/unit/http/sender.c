#include "http/sender.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static const struct request_limits limits = {
	.max_target = 64, .max_head = 1024, .max_headers = 8};

/* May one that sends this request line and these headers be served? */
static enum err check(const char *head, const char *names)
{
	const struct sender_hosts hosts = {names, "name it in --hosts"};
	char why[SENDER_WHY] = "", text[256];
	struct request r;
	enum err e;

	snprintf(text, sizeof text, "%s\r\n", head);
	cr_assert(eq(int, request_parse(span_str(text), &limits, &r), OK), "%s", head);
	e = sender_check(&r, &hosts, why);
	cr_assert(eq(int, why[0] != '\0', e != OK), "%s", head);
	return e;
}

#define GET "GET / HTTP/1.1\r\n"

Test(sender, of_loopback_or_a_name_that_is_known_is_served)
{
	static const char *const heads[] = {
		GET "Host: localhost:80\r\n",
		GET "Host: [::1]\r\n",
		GET "Host: Gateway:1\r\n",
		GET "Host: 127.0.0.1\r\nSec-Fetch-Site: none\r\n",
		GET "Host: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n",
		"GET http://localhost/ HTTP/1.1\r\nHost: evil.example\r\n",
		"GET / HTTP/1.0\r\n",
	};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		cr_assert(eq(int, check(heads[i], "gateway"), OK), "%s", heads[i]);
}

Test(sender, that_is_a_web_page_or_takes_us_for_another_host_is_refused)
{
	static const char *const heads[] = {
		GET "Host: evil.example\r\n",
		GET "Host: localhost\r\nOrigin: null\r\n",
		GET "Host: localhost\r\nSec-Fetch-Site: Cross-Site\r\n",
		GET "Host: localhost\r\nSec-Fetch-Site: same-site\r\n",
		"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n",
	};

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		cr_assert(eq(int, check(heads[i], "gateway"), ERR_DENIED), "%s",
			  heads[i]);
}

Test(sender, may_call_a_server_that_others_can_reach_by_any_name)
{
	cr_assert(eq(int, check(GET "Host: pod.example\r\n", NULL), OK));
	cr_assert(
		eq(int, check(GET "Host: a\r\nOrigin: http://a\r\n", NULL), ERR_DENIED));
}

Test(sender, knows_loopback_and_the_names_it_was_given_with_any_port)
{
	static const char names[] = "gateway.internal,10.0.0.7:9000,[fd00::1]:80";
	static const char *const known[] = {
		"localhost", "LOCALHOST:8081",     "127.0.0.1", "127.8.8.8:80",
		"[::1]",     "[::1]:80",           "10.0.0.7",  "gateway.internal",
		"[fd00::1]", "Gateway.Internal:1",
	};
	static const char *const unknown[] = {
		"",
		"evil.example",
		"localhost.evil.example",
		"127.0.0.1.evil.example",
		"128.0.0.1",
		"127.1",
		"[::2]",
		"[::1",
		"gateway",
		"0.0.0.0",
		"10.0.0.8:9000",
		":80",
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		cr_assert(sender_host_is_known(span_str(known[i]), names), "%s",
			  known[i]);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		cr_assert(not(sender_host_is_known(span_str(unknown[i]), names)), "%s",
			  unknown[i]);
	cr_assert(not(sender_host_is_known(span_str(""), "")));
}
