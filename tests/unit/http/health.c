#include "http/health.h"

#include "base/address.h"

#include "../base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct loop *loop;
static struct metrics *metrics;
static struct health *health;
static const char *missing;

static const char *ready(void *arg)
{
	(void)arg;
	return missing;
}

static void start(void)
{
	loop = loop_new();
	metrics = metrics_new();
	metric_add(metric_counter(metrics, "a_total", NULL, "All a."), 4);
	health = health_new(loop, "127.0.0.1:0", metrics, ready, NULL);
	cr_assert(health != NULL);
}

static void end(void)
{
	health_free(health);
	metrics_free(metrics);
	loop_free(loop);
}

TestSuite(health, .init = start, .fini = end, .timeout = 60);

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)arg;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		loop_stop(loop);
}

/* What the port answers to this request, until it closes. */
static char *answer(const char *request)
{
	struct address a;
	struct bufferevent *bev =
		bufferevent_socket_new(loop_base(loop), -1, BEV_OPT_CLOSE_ON_FREE);

	cr_assert(eq(int, address_parse(health_url(health) + strlen("http://"), &a), OK));
	bufferevent_setcb(bev, NULL, NULL, on_event, NULL);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
	bufferevent_socket_connect(bev, (struct sockaddr *)&a.sa, (int)a.n);
	bufferevent_write(bev, request, strlen(request));
	loop_run(loop);

	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);
	char *text = calloc(1, n + 1);

	evbuffer_remove(in, text, n);
	bufferevent_free(bev);
	return text;
}

static void expect(const char *request, const char *status, const char *body)
{
	char whole[256];

	snprintf(whole, sizeof whole,
		 "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", request);

	char *got = answer(whole);
	char *blank = strstr(got, "\r\n\r\n");

	cr_assert(strncmp(got, status, strlen(status)) == 0, "%s: %s", request, got);
	cr_assert(blank != NULL);
	cr_assert(eq(str, blank + 4, (char *)body), "%s", request);
	free(got);
}

Test(health, a_turning_loop_is_live_even_when_it_is_not_ready)
{
	missing = "no broker";
	expect("GET /livez", "HTTP/1.1 200 ", "live\n");
	expect("GET /readyz", "HTTP/1.1 503 ", "no broker\n");
	missing = NULL;
	expect("GET /readyz", "HTTP/1.1 200 ", "ready\n");
	expect("GET /readyz?verbose", "HTTP/1.1 200 ", "ready\n");
}

Test(health, metrics_come_in_the_format_that_prometheus_asks_for)
{
	char *got = answer("GET /metrics HTTP/1.0\r\n\r\n");

	cr_assert(strstr(got,
			 "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") !=
		  NULL);
	cr_assert(strstr(got, "\r\n\r\n# HELP a_total All a.\n# TYPE a_total "
			      "counter\na_total 4\n") != NULL);
	free(got);
}

Test(health, a_head_has_the_length_and_no_body)
{
	char *got = answer("HEAD /livez HTTP/1.0\r\n\r\n");

	cr_assert(strstr(got, "Content-Length: 5\r\n") != NULL);
	cr_assert(eq(str, strstr(got, "\r\n\r\n"), "\r\n\r\n"));
	free(got);
}

Test(health, all_else_is_refused)
{
	expect("GET /", "HTTP/1.1 404 ",
	       "not found: there are /livez, /readyz and /metrics\n");
	expect("POST /livez", "HTTP/1.1 405 ", "only GET and HEAD are served here\n");
}

Test(health, what_a_web_page_sends_is_refused)
{
	static const char *const headers[] = {
		"Host: evil.example\r\n",
		"Host: localhost\r\nOrigin: http://evil.example\r\n",
		"Host: localhost\r\nSec-Fetch-Site: cross-site\r\n",
		"Host: localhost\r\nSec-Fetch-Site: same-site\r\n",
	};
	char whole[256], *got;

	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		snprintf(whole, sizeof whole,
			 "GET /metrics HTTP/1.1\r\n%sConnection: close\r\n\r\n",
			 headers[i]);
		got = answer(whole);
		cr_assert(strncmp(got, "HTTP/1.1 403 ", 13) == 0, "%s: %s", headers[i],
			  got);
		free(got);
	}
}

Test(health, a_probe_may_call_it_anything_where_others_can_reach_it)
{
	char *got;

	health_free(health);
	health = health_new(loop, "0.0.0.0:0", metrics, ready, NULL);
	got = answer("GET /livez HTTP/1.1\r\nHost: 10.1.2.3:9102\r\n"
		     "Connection: close\r\n\r\n");
	cr_assert(strncmp(got, "HTTP/1.1 200 ", 13) == 0, "%s", got);
	free(got);
}

Test(health, nothing_is_read_behind_a_request_whose_end_is_not_sure)
{
	char *got = answer("GET /livez HTTP/1.1\r\nHost: localhost\r\n"
			   "Content-Length: 0\r\nContent-Length: 46\r\n\r\n"
			   "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");

	cr_assert(strncmp(got, "HTTP/1.1 400 ", 13) == 0, "%s", got);
	cr_assert(strstr(got + 1, "HTTP/1.1") == NULL, "%s", got);
	free(got);
}

Test(health, an_address_that_cannot_be_had_is_an_error_line_that_says_what_to_do)
{
	struct capture *c = capture_start(STDERR_FILENO);

	cr_assert(health_new(loop, "nonsense", metrics, NULL, NULL) == NULL);
	cr_assert(health_new(loop, health_url(health) + 7, metrics, NULL, NULL) == NULL);

	char *lines = capture_end(c);

	cr_assert(strstr(lines, "error gatepost health.failed address=nonsense") != NULL);
	cr_assert(strstr(lines, "Address already in use") != NULL);
	cr_assert(strstr(lines, "set --metrics to a free HOST:PORT") != NULL);
	free(lines);
}
