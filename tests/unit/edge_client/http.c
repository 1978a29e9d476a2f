#include "edge/client/http.h"

#include "fixture.h"

#include "proto/batch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(http, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

static int status_of(const char *response)
{
	return strncmp(response, "HTTP/1.1 ", 9) == 0 ? atoi(response + 9) : 0;
}

/* ---- requests that are refused ---- */

struct bad {
	char why[48];
	char request[200];
	int status;
};

ParameterizedTestParameters(http, a_bad_request_is_refused_with_its_status_and_the_end)
{
	static struct bad rows[] = {
		{"no method", "nonsense\r\n\r\n", 400},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"a bare line feed", "GET / HTTP/1.1\nHost: a\n\n", 400},
		{"two lengths",
		 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: "
		 "2\r\n\r\n",
		 400},
		{"chunked",
		 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
		{"a body over --max-message",
		 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n", 413},
		{"an upgrade by POST",
		 "POST / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", 405},
		{"an upgrade of another version",
		 "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: "
		 "Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n",
		 426},
		{"another HTTP", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
	};
	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *r, http,
		  a_bad_request_is_refused_with_its_status_and_the_end)
{
	struct client *k = client_new();
	const char *in;

	client_send_text(k, r->request);
	in = client_read(k, NULL);
	cr_assert(eq(int, status_of(in), r->status), "%s: %s", r->why, in);
	cr_assert(strstr(in, "{\"message\":\"") != NULL, "%s", r->why);
	cr_assert(client_is_at_end(k), "%s", r->why);
	cr_assert(client_event(k) == NULL, "%s", r->why);
	cr_assert(eq(i64, fixture_metric("gatepost_edge_refused_total", NULL), 1));
}

Test(http, what_comes_behind_a_bad_request_is_not_parsed)
{
	struct client *k = client_new();

	client_send_text(k, "nonsense\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
	client_send_text(k, GET);
	cr_assert(client_event(k) == NULL);
}

static void send_long(struct client *k, const char *begin, size_t n)
{
	char *text = malloc(n + 1);

	memset(text, 'a', n);
	text[n] = '\0';
	memcpy(text, begin, strlen(begin));
	client_send_text(k, text);
	free(text);
}

Test(http, a_target_over_the_limit_is_414)
{
	struct client *k = client_new();

	send_long(k, "GET /", 1100);
	client_send_text(k, " HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert(eq(int, status_of(client_read(k, NULL)), 414));
}

Test(http, a_head_over_the_limit_is_431_before_its_end_has_come)
{
	struct client *k = client_new();

	send_long(k, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 4100);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 431));
	cr_assert(client_is_at_end(k));
}

Test(http, without_a_number_from_a_broker_a_request_is_503_with_retry_after)
{
	struct client *k = client_new();
	const char *in;

	fixture.number = 0;
	client_send_text(k, GET);
	in = client_read(k, NULL);
	cr_assert(eq(int, status_of(in), 503));
	cr_assert(strstr(in, "Retry-After: 1\r\n") != NULL);
}

/* ---- the event ---- */

static Gatepost__Request *unpack(const struct lane_event *e)
{
	Gatepost__Request *q =
		gatepost__request__unpack(NULL, e->request->n, e->request->p);

	cr_assert(q != NULL);
	return q;
}

Test(http, a_request_becomes_one_event_with_all_of_its_head)
{
	struct client *k = client_new();
	Gatepost__Request *q;

	client_send_text(k,
			 "GET /dev/ping?a=b HTTP/1.1\r\nHost: a\r\nX-One: two\r\n\r\n");
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__HTTP));
	cr_assert(client_event(k)->body == NULL);
	q = unpack(client_event(k));
	cr_assert(span_is(span_from(q->method), "GET"));
	cr_assert(span_is(span_from(q->path), "/dev/ping"));
	cr_assert(span_is(span_from(q->query), "a=b"));
	cr_assert(eq(sz, q->n_headers, 2));
	cr_assert(span_is(span_from(q->headers[1]->value), "two"));
	gatepost__request__free_unpacked(q, NULL);
}

Test(http, a_head_that_comes_byte_by_byte_is_the_same_event)
{
	struct client *k = client_new();

	for (const char *p = GET; *p != '\0'; p++) {
		cr_assert(client_event(k) == NULL);
		client_send(k, p, 1);
	}
	cr_assert(eq(int, client_event(k)->kind, GATEPOST__EVENT__KIND__HTTP));
}

Test(http, a_context_has_where_the_client_is_and_what_it_is)
{
	struct client *k = client_new();
	struct blob *packed;
	Gatepost__Context *x;

	client_send_text(k, "GET / HTTP/1.1\r\nHost: here\r\nUser-Agent: me\r\n\r\n");
	packed = client_connection(k)->lane.context;
	x = gatepost__context__unpack(NULL, packed->n, packed->p);
	cr_assert(span_is(span_from(x->source_ip), "192.0.2.1"));
	cr_assert(span_is(span_from(x->user_agent), "me"));
	cr_assert(span_is(span_from(x->domain), "here"));
	gatepost__context__free_unpacked(x, NULL);
}

Test(http, each_request_on_a_socket_has_an_id_of_its_own)
{
	struct client *k = client_new();
	struct id first;

	client_send_text(k, GET);
	first = client_connection(k)->lane.id;
	client_answer_status(k, 200);
	client_send_text(k, GET);
	cr_assert(not(id_eq(&first, &client_connection(k)->lane.id)));
}

/* ---- bodies ---- */

Test(http, a_body_that_comes_in_pieces_is_whole_in_the_event)
{
	struct client *k = client_new();

	client_send_text(k, POST);
	client_send_text(k, "0123");
	cr_assert(client_event(k) == NULL);
	client_send_text(k, "456789");
	cr_assert(span_is(blob_span(client_event(k)->body), "0123456789"));
}

Test(http, what_comes_behind_a_body_is_the_next_request)
{
	struct client *k = client_new();

	client_send_text(k, POST);
	client_send_text(k, "0123456789GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert(span_is(blob_span(client_event(k)->body), "0123456789"));
	client_answer_status(k, 200);
	cr_assert(client_event(k) != NULL);
	cr_assert(client_event(k)->body == NULL);
}

Test(http, a_client_that_waits_for_100_gets_it_before_its_body)
{
	struct client *k = client_new();

	client_send_text(k, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
			    "Expect: 100-continue\r\n\r\n");
	cr_assert(eq(str, (char *)client_read(k, NULL), "HTTP/1.1 100 Continue\r\n\r\n"));
	client_send_text(k, "hi");
	cr_assert(span_is(blob_span(client_event(k)->body), "hi"));
}

Test(http, a_body_gets_more_time_as_long_as_it_comes)
{
	struct client *k = client_new();
	static char piece[32000];

	client_send_text(k,
			 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 96000\r\n\r\n");
	client_send(k, piece, sizeof piece);
	cr_assert(eq(i64, client_connection(k)->deadline_ms,
		     loop_now(fixture.loop) + fixture.conf.handshake_ms + 500));
}

Test(http, over_the_memory_of_all_a_large_body_is_503_and_a_small_one_is_not)
{
	struct client *small = client_new(), *large = client_new();
	static char piece[20000];

	fixture.clients->held_bytes += 2000000;
	client_send_text(small, POST);
	client_send_text(small, "0123456789");
	cr_assert(client_event(small) != NULL);
	client_send_text(large,
			 "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n");
	client_send(large, piece, sizeof piece); /* in two reads */
	cr_assert(eq(int, status_of(client_read(large, NULL)), 503));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_shed_total", NULL), 1));
	fixture.clients->held_bytes -= 2000000;
}

/* ---- keep-alive ---- */

Test(http, a_second_request_is_asked_only_when_the_first_is_answered)
{
	struct client *k = client_new();

	client_send_text(k, GET);
	client_send_text(k, POST);
	cr_assert(eq(u32, client_connection(k)->lane.n, 1));
	cr_assert(client_event(k)->body == NULL);
}

Test(http, requests_that_came_at_once_are_answered_in_their_order)
{
	struct client *k = client_new();
	char two[1000];

	snprintf(two, sizeof two, "%s%s", GET, GET);
	client_send_text(k, two);
	client_answer_status(k, 200);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 200));
	client_answer_status(k, 404);
	cr_assert(eq(int, status_of(client_read(k, NULL)), 404));
}

Test(http, a_socket_that_served_requests_may_still_become_a_websocket)
{
	struct client *k = client_new();

	client_send_text(k, GET);
	client_answer_status(k, 200);
	client_read(k, NULL);
	client_upgrade(k);
}
