#include "http/request.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>

static const struct request_limits limits = {
	.max_target = 64, .max_head = 1024, .max_headers = 8};

struct row {
	char why[48];
	char in[120];
	enum err want;
	int status;
};

#define GET "GET / HTTP/1.1\r\nHost: h\r\n"

ParameterizedTestParameters(request, parse)
{
	static struct row rows[] = {
		{"the least", GET "\r\n", OK, 0},
		{"one empty line before it", "\r\n" GET "\r\n", OK, 0},
		{"two empty lines before it", "\r\n\r\n" GET "\r\n", ERR_MALFORMED, 400},
		{"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", OK, 0},
		{"HTTP/1.9 is read as 1.1", "GET / HTTP/1.9\r\nHost: h\r\n\r\n", OK, 0},
		{"an empty value", GET "X:\r\n\r\n", OK, 0},
		{"obs-text in a value", GET "X: \xe9\r\n\r\n", OK, 0},
		{"HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", ERR_MALFORMED, 400},
		{"two Hosts", GET "host: h\r\n\r\n", ERR_MALFORMED, 400},
		{"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", ERR_MALFORMED, 400},
		{"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"a Host with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"LF alone after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"LF alone after a header", "GET / HTTP/1.1\r\nHost: h\n\r\n",
		 ERR_MALFORMED, 400},
		{"LF alone at the end", GET "\n", ERR_MALFORMED, 400},
		{"a CR in a value", GET "X: a\rb\r\n\r\n", ERR_MALFORMED, 400},
		{"a control byte in a value", GET "X: a\x01\r\n\r\n", ERR_MALFORMED, 400},
		{"DEL in a value", GET "X: a\x7f\r\n\r\n", ERR_MALFORMED, 400},
		{"a folded header", GET "X: a\r\n b\r\n\r\n", ERR_MALFORMED, 400},
		{"a blank before the colon", GET "X : a\r\n\r\n", ERR_MALFORMED, 400},
		{"no colon", GET "X\r\n\r\n", ERR_MALFORMED, 400},
		{"no name", GET ": a\r\n\r\n", ERR_MALFORMED, 400},
		{"a name that is no token", GET "X(): a\r\n\r\n", ERR_MALFORMED, 400},
		{"TLS on a plain port", "\x16\x03\x01", ERR_MALFORMED, 400},
		{"a method that is no token", "G@T", ERR_MALFORMED, 400},
		{"no method", " / HTTP/1.1", ERR_MALFORMED, 400},
		{"a method without an end", "GETGETGETGETGETGETGETGETGETGETGETGET",
		 ERR_MALFORMED, 501},
		{"two blanks after the method", "GET  / HTTP/1.1", ERR_MALFORMED, 400},
		{"a tab after the method", "GET\t/", ERR_MALFORMED, 400},
		{"a target without a slash", "GET dev HTTP/1.1", ERR_MALFORMED, 400},
		{"asterisk form", "OPTIONS * HTTP/1.1", ERR_MALFORMED, 400},
		{"authority form", "CONNECT h:80 HTTP/1.1", ERR_MALFORMED, 400},
		{"another scheme", "GET ftp://h/ HTTP/1.1", ERR_MALFORMED, 400},
		{"an absolute target without host", "GET http:/// HTTP/1.1",
		 ERR_MALFORMED, 400},
		{"a raw byte over 0x7f in the target", "GET /\xc3\xa9 HTTP/1.1",
		 ERR_MALFORMED, 400},
		{"a fragment in the target", "GET /a#b HTTP/1.1", ERR_MALFORMED, 400},
		{"HTTP/0.9", "GET /\r\n", ERR_MALFORMED, 400},
		{"HTTP/2.0", "GET / HTTP/2.0\r\n", ERR_MALFORMED, 505},
		{"the HTTP/2 preface", "PRI * HTTP/2.0\r\n", ERR_MALFORMED, 400},
		{"http in small letters", "GET / http/1.1\r\n", ERR_MALFORMED, 400},
		{"HTTP/1.10", "GET / HTTP/1.10\r\n", ERR_MALFORMED, 400},
		{"HTTP/1.x", "GET / HTTP/1.x\r\n", ERR_MALFORMED, 400},
		{"a Content-Length", GET "Content-Length: 5\r\n\r\n", OK, 0},
		{"a Content-Length of words", GET "Content-Length: five\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"a signed Content-Length", GET "Content-Length: +5\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"an empty Content-Length", GET "Content-Length:\r\n\r\n", ERR_MALFORMED,
		 400},
		{"a list of Content-Lengths", GET "Content-Length: 5, 5\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"two Content-Lengths",
		 GET "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", ERR_MALFORMED,
		 400},
		{"a Content-Length of 2^63",
		 GET "Content-Length: 9223372036854775808\r\n\r\n", ERR_MALFORMED, 400},
		{"chunked", GET "Transfer-Encoding: Chunked\r\n\r\n", OK, 0},
		{"gzip", GET "Transfer-Encoding: gzip\r\n\r\n", ERR_MALFORMED, 501},
		{"gzip, then chunked", GET "Transfer-Encoding: gzip, chunked\r\n\r\n",
		 ERR_MALFORMED, 501},
		{"chunked twice", GET "Transfer-Encoding: chunked, chunked\r\n\r\n",
		 ERR_MALFORMED, 501},
		{"chunked on two lines",
		 GET "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
		 ERR_MALFORMED, 501},
		{"chunked with a parameter", GET "Transfer-Encoding: chunked;a=b\r\n\r\n",
		 ERR_MALFORMED, 501},
		{"an empty Transfer-Encoding", GET "Transfer-Encoding:\r\n\r\n",
		 ERR_MALFORMED, 501},
		{"chunked and a length",
		 GET "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
		 ERR_MALFORMED, 400},
		{"chunked on HTTP/1.0",
		 "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_MALFORMED,
		 400},
		{"eight headers", GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n\r\n",
		 OK, 0},
		{"nine headers", GET "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n",
		 ERR_TOOBIG, 431},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, request, parse)
{
	struct request r;

	cr_assert(eq(int, request_parse(span_str(row->in), &limits, &r), row->want), "%s",
		  row->why);
	cr_assert(eq(int, r.status, row->status), "%s", row->why);
	cr_assert(eq(int, r.why != NULL, row->want != OK), "%s", row->why);
}

Test(request, every_prefix_of_a_head_asks_for_more)
{
	static const char head[] =
		"\r\nPOST /dev/a?b=c HTTP/1.1\r\nHost: h:80\r\nX-A:  one two \t\r\n"
		"Content-Length: 3\r\n\r\nabc";
	const size_t n = sizeof head - 1 - 3;
	struct request r;

	for (size_t part = 0; part < n; part++)
		cr_assert(eq(int, request_parse(span_of(head, part), &limits, &r),
			     ERR_AGAIN),
			  "%zu", part);
	cr_assert(eq(int, request_parse(span_of(head, n + 3), &limits, &r), OK));
	cr_assert(eq(sz, r.head_bytes, n));
	cr_assert(span_is(r.method, "POST"));
	cr_assert(span_is(r.path, "/dev/a"));
	cr_assert(span_is(r.query, "b=c"));
	cr_assert(span_is(r.host, "h:80"));
	cr_assert(eq(sz, r.n_headers, 3));
	cr_assert(span_is(r.headers[1].name, "X-A") &&
		  span_is(r.headers[1].value, "one two"));
	cr_assert(eq(i64, r.content_length, 3));
}

Test(request, a_nul_is_refused_wherever_it_stands)
{
	static const char head[] = "GET /dev HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\n";
	struct request r;

	for (size_t at = 0; at < sizeof head - 1; at++) {
		char bad[sizeof head];

		memcpy(bad, head, sizeof head);
		bad[at] = '\0';
		cr_assert(eq(int,
			     request_parse(span_of(bad, sizeof head - 1), &limits, &r),
			     ERR_MALFORMED),
			  "at %zu", at);
	}
}

Test(request, an_absolute_target_is_split_and_its_host_goes_before_the_header)
{
	static const struct {
		const char *target, *host, *path, *query;
	} rows[] = {
		{"http://a.b:80/dev?x=1", "a.b:80", "/dev", "x=1"},
		{"WS://[::1]:8080/dev", "[::1]:8080", "/dev", NULL},
		{"https://a", "a", "/", NULL},
		{"wss://a?x", "a", "/", "x"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char head[128];
		int n = snprintf(head, sizeof head,
				 "GET %s HTTP/1.1\r\nHost: other\r\n\r\n",
				 rows[i].target);
		struct request r;

		cr_assert(eq(int, request_parse(span_of(head, (size_t)n), &limits, &r),
			     OK));
		cr_assert(span_is(r.host, rows[i].host), "%s", rows[i].target);
		cr_assert(span_is(r.path, rows[i].path), "%s", rows[i].target);
		cr_assert(eq(int, r.query.p != NULL, rows[i].query != NULL), "%s",
			  rows[i].target);
		cr_assert(span_is(r.query, rows[i].query ? rows[i].query : ""), "%s",
			  rows[i].target);
	}
}

/* A head with a target of n bytes, as far as it goes: without its end. */
static size_t long_target(char *out, size_t n)
{
	size_t at = (size_t)sprintf(out, "GET /");

	memset(out + at, 'a', n - 1);
	return at + n - 1;
}

Test(request, a_target_of_the_limit_passes_and_one_byte_more_is_414_before_it_ends)
{
	char head[128];
	struct request r;
	size_t n = long_target(head, limits.max_target);

	cr_assert(eq(int, request_parse(span_of(head, n), &limits, &r), ERR_AGAIN));
	n = long_target(head, limits.max_target + 1);
	cr_assert(eq(int, request_parse(span_of(head, n), &limits, &r), ERR_TOOBIG));
	cr_assert(eq(int, r.status, 414));
}

Test(request, a_head_over_the_limit_is_431_whole_or_in_part)
{
	static const char head[] = GET "\r\n";
	const size_t n = sizeof head - 1;
	struct request r;

	for (size_t limit = 1; limit <= n; limit++) {
		struct request_limits lim = {
			.max_target = 64, .max_head = limit, .max_headers = 8};
		bool fits = limit == n;

		cr_assert(eq(int, request_parse(span_of(head, n), &lim, &r),
			     fits ? OK : ERR_TOOBIG));
		cr_assert(eq(int, r.status, fits ? 0 : 431));
		if (limit == n)
			break;
		cr_assert(eq(int, request_parse(span_of(head, limit), &lim, &r),
			     ERR_TOOBIG));
		cr_assert(eq(int, r.status, 431));
	}
}

static struct request parsed(const char *headers, int minor)
{
	static char head[512];
	struct request r;
	int n = snprintf(head, sizeof head, "GET / HTTP/1.%d\r\nHost: h\r\n%s\r\n", minor,
			 headers);

	cr_assert(eq(int, request_parse(span_of(head, (size_t)n), &limits, &r), OK));
	return r;
}

Test(request, a_connection_is_kept_as_its_version_and_its_headers_say)
{
	cr_assert(parsed("", 1).keep_alive);
	cr_assert(not(parsed("Connection: close\r\n", 1).keep_alive));
	cr_assert(not(parsed("Connection: keep-alive\r\nConnection: X, Close\r\n", 1)
			      .keep_alive));
	cr_assert(not(parsed("", 0).keep_alive));
	cr_assert(parsed("Connection: Keep-Alive\r\n", 0).keep_alive);
}

Test(request, a_chunked_body_has_no_length)
{
	struct request r = parsed("Transfer-Encoding: chunked\r\n", 1);

	cr_assert(r.chunked);
	cr_assert(eq(i64, r.content_length, -1));
	cr_assert(not(parsed("Content-Length: 5\r\n", 1).chunked));
}

Test(request, an_expectation_counts_on_1_1_alone)
{
	cr_assert(parsed("Expect: 100-Continue\r\n", 1).expect_continue);
	cr_assert(not(parsed("Expect: 100-continue\r\n", 0).expect_continue));
	cr_assert(not(parsed("", 1).expect_continue));
}

Test(request, headers_are_found_and_counted_in_any_case)
{
	struct request r = parsed("X-A: 1\r\nx-a: 2\r\nX-AB: 3\r\n", 1);

	cr_assert(span_is(request_header(&r, "x-A")->value, "1"));
	cr_assert(eq(sz, request_count(&r, "X-a"), 2));
	cr_assert(eq(ptr, (void *)request_header(&r, "X"), NULL));
}

Test(request, lists_are_searched_over_all_lines_and_whole_elements)
{
	struct request r = parsed("L: , a ,,b b\r\nl:\tC\r\n", 1);

	cr_assert(request_lists(&r, "L", "A"));
	cr_assert(request_lists(&r, "L", "b b"));
	cr_assert(request_lists(&r, "L", "c"));
	cr_assert(not(request_lists(&r, "L", "b")));
	cr_assert(not(request_lists(&r, "L", "")));
}

Test(request, tokens_are_what_rfc_9110_5_6_2_says)
{
	size_t n = 0;

	for (int c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;

		n += request_is_token(span_of(&byte, 1));
	}
	cr_assert(eq(sz, n, 26 + 26 + 10 + 15));
	cr_assert(request_is_token(span_str("!#$%&'*+-.^_`|~")));
	cr_assert(not(request_is_token(span_str(""))));
}
