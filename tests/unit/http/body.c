#include "http/body.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 1000 };

/* What reading a body came to. */
struct outcome {
	enum err e;
	int status;
	size_t used; /* bytes, up to the end of the body or to what is wrong */
	size_t n;
	char content[512];
};

static void begin(struct body_reader *b, int64_t length)
{
	struct request r = {.content_length = length, .chunked = length < 0};

	cr_assert(eq(int, body_begin(b, &r, MOST), OK));
}

/* Read in pieces of so many bytes, each in memory of its own. */
static struct outcome read_in_pieces(struct span all, int64_t length, size_t piece)
{
	struct outcome out = {.e = ERR_AGAIN};
	struct body_reader b;

	begin(&b, length);
	while (out.e == ERR_AGAIN && all.n > 0) {
		size_t n = all.n < piece ? all.n : piece;
		char *own = span_dup(span_of(all.p, n));
		struct span in = span_of(own, n), content;

		do {
			out.e = body_read(&b, &in, &content);
			if (out.e != OK && out.e != ERR_AGAIN)
				break;
			cr_assert(out.n + content.n <= sizeof out.content);
			if (content.n > 0)
				memcpy(out.content + out.n, content.p, content.n);
			out.n += content.n;
		} while (out.e == ERR_AGAIN && in.n > 0);
		cr_assert(out.e != ERR_AGAIN || in.n == 0);
		out.used += n - in.n;
		all = span_of(all.p + n, all.n - n);
		free(own);
	}
	out.status = b.status;
	return out;
}

struct row {
	char why[48];
	char in[120];
	char content[40];
	enum err want;
	int status;
};

ParameterizedTestParameters(body, chunks)
{
	static struct row rows[] = {
		{"no content", "0\r\n\r\n", "", OK, 0},
		{"one chunk", "3\r\nabc\r\n0\r\n\r\n", "abc", OK, 0},
		{"two chunks", "3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
		 "abc0123456789", OK, 0},
		{"small digits and leading zeros", "00a\r\n0123456789\r\n000\r\n\r\n",
		 "0123456789", OK, 0},
		{"CR LF in the content", "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", OK, 0},
		{"an extension", "2;x=y\r\nab\r\n0;z\r\n\r\n", "ab", OK, 0},
		{"an extension in quotes", "2 ; x=\"a;b\" \r\nab\r\n0\r\n\r\n", "ab", OK,
		 0},
		{"trailers", "1\r\na\r\n0\r\nX-A: b\r\nY:\r\n\r\n", "a", OK, 0},
		{"a size that is none", "x\r\n", "", ERR_MALFORMED, 400},
		{"no size", "\r\n", "", ERR_MALFORMED, 400},
		{"a signed size", "+1\r\na\r\n0\r\n\r\n", "", ERR_MALFORMED, 400},
		{"0x before the size", "0x1\r\na\r\n0\r\n\r\n", "", ERR_MALFORMED, 400},
		{"a blank before the size", " 1\r\na\r\n0\r\n\r\n", "", ERR_MALFORMED,
		 400},
		{"a blank behind the size", "1 \r\na\r\n0\r\n\r\n", "", ERR_MALFORMED,
		 400},
		{"digits after a blank", "1 1\r\na", "", ERR_MALFORMED, 400},
		{"LF alone behind the size", "1\na\r\n0\r\n\r\n", "", ERR_MALFORMED, 400},
		{"LF alone behind an extension", "1;a\na\r\n0\r\n\r\n", "", ERR_MALFORMED,
		 400},
		{"CR alone behind the size", "1\ra\r\n0\r\n\r\n", "", ERR_MALFORMED, 400},
		{"CR in an extension", "1;a\rb\r\na\r\n0\r\n\r\n", "", ERR_MALFORMED,
		 400},
		{"a control byte in an extension", "1;\x01\r\na", "", ERR_MALFORMED, 400},
		{"more content than the size", "1\r\nab\r\n0\r\n\r\n", "a", ERR_MALFORMED,
		 400},
		{"LF alone behind the content", "1\r\na\n0\r\n\r\n", "a", ERR_MALFORMED,
		 400},
		{"CR alone behind the content", "1\r\na\r0\r\n\r\n", "a", ERR_MALFORMED,
		 400},
		{"LF alone at the end", "0\r\n\n", "", ERR_MALFORMED, 400},
		{"CR alone at the end", "0\r\n\rX", "", ERR_MALFORMED, 400},
		{"a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "", ERR_MALFORMED, 400},
		{"a trailer without a colon", "0\r\nA\r\n\r\n", "", ERR_MALFORMED, 400},
		{"a trailer without a name", "0\r\n: a\r\n\r\n", "", ERR_MALFORMED, 400},
		{"a blank before a trailer's colon", "0\r\nA : b\r\n\r\n", "",
		 ERR_MALFORMED, 400},
		{"a control byte in a trailer", "0\r\nA: \x7f\r\n\r\n", "", ERR_MALFORMED,
		 400},
		{"a chunk over the limit", "3e9\r\n", "", ERR_TOOBIG, 413},
		{"chunks over the limit", "1\r\na\r\n3e8\r\n", "a", ERR_TOOBIG, 413},
		{"a size of 2^64", "10000000000000000\r\n", "", ERR_TOOBIG, 413},
		{"a size of 2^64 + 1 in 2^68", "100000000000000001\r\n", "", ERR_TOOBIG,
		 413},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, body, chunks)
{
	size_t n = strlen(row->in);

	for (size_t piece = 1; piece <= n; piece++) {
		struct outcome o = read_in_pieces(span_str(row->in), -1, piece);

		cr_assert(eq(int, o.e, row->want), "%s, %zu", row->why, piece);
		cr_assert(eq(int, o.status, row->status), "%s, %zu", row->why, piece);
		cr_assert(span_is(span_of(o.content, o.n), row->content), "%s, %zu",
			  row->why, piece);
		if (o.e == OK)
			cr_assert(eq(sz, o.used, n), "%s, %zu", row->why, piece);
	}
}

Test(body, is_not_over_before_its_last_byte_and_ends_there)
{
	static const char all[] = "3;a=b\r\nabc\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n";
	const size_t whole = (size_t)(strstr(all, "GET") - all);

	for (size_t n = 0; n < sizeof all; n++) {
		struct outcome o = read_in_pieces(span_of(all, n), -1, n + 1);

		cr_assert(eq(int, o.e, n < whole ? ERR_AGAIN : OK), "%zu", n);
		cr_assert(eq(sz, o.used, n < whole ? n : whole), "%zu", n);
	}
}

Test(body, with_a_length_is_so_long_and_no_longer)
{
	static const char all[] = "abcdefGET";

	for (size_t piece = 1; piece < sizeof all; piece++) {
		struct outcome o = read_in_pieces(span_str(all), 6, piece);

		cr_assert(eq(int, o.e, OK));
		cr_assert(eq(sz, o.used, 6));
		cr_assert(span_is(span_of(o.content, o.n), "abcdef"));
	}
	cr_assert(eq(int, read_in_pieces(span_str("abcde"), 6, 2).e, ERR_AGAIN));
}

Test(body, of_the_limit_is_read_and_one_byte_more_is_refused_before_it_comes)
{
	struct request r = {.content_length = MOST};
	struct body_reader b;

	cr_assert(eq(int, body_begin(&b, &r, MOST), OK));
	r.content_length++;
	cr_assert(eq(int, body_begin(&b, &r, MOST), ERR_TOOBIG));
	cr_assert(eq(int, b.status, 413));
	r.content_length = 0;
	cr_assert(eq(int, body_begin(&b, &r, MOST), ERR_NOTFOUND));
	r.content_length = -1;
	cr_assert(eq(int, body_begin(&b, &r, MOST), ERR_NOTFOUND));
}

/* So often, until it is refused; how it ended. */
static struct body_reader repeat(const char *first, const char *again, size_t times)
{
	struct body_reader b;
	struct span in = span_str(first), content;
	enum err e;

	begin(&b, -1);
	e = body_read(&b, &in, &content);
	for (size_t i = 0; e == ERR_AGAIN && i < times; i++) {
		in = span_str(again);
		while (e == ERR_AGAIN && in.n > 0)
			e = body_read(&b, &in, &content);
	}
	return b;
}

Test(body, extensions_zeros_and_trailers_have_a_limit_together)
{
	cr_assert(eq(int, repeat("1;", "x", 4000).status, 0));
	cr_assert(eq(int, repeat("1;", "x", 5000).status, 431));
	cr_assert(eq(int, repeat("", "1;aaaaaaa\r\nx\r\n", 400).status, 0));
	cr_assert(eq(int, repeat("", "1;aaaaaaa\r\nx\r\n", 600).status, 431));
	cr_assert(eq(int, repeat("0\r\n", "A: b\r\n", 900).status, 0));
	cr_assert(eq(int, repeat("0\r\n", "A: b\r\n", 1100).status, 431));
	cr_assert(eq(int, repeat("", "0", 5000).status, 431));
}
