#include "http/response.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct response_header header(const char *name, const char *value)
{
	return (struct response_header){span_str(name), span_str(value)};
}

static void expect(struct blob *got, const char *want)
{
	cr_assert(span_is(blob_span(got), want), "%.*s", SPAN_ARG(blob_span(got)));
	blob_unref(got);
}

Test(response, has_its_status_headers_length_and_body)
{
	struct response_header h = header("Content-Type", "text/plain");

	expect(response_blob(200, &h, 1, span_str("PONG!"), RESPONSE_KEEP_ALIVE),
	       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: keep-alive\r\n"
	       "Content-Length: 5\r\n\r\nPONG!");
}

Test(response, closes_unless_told_otherwise_and_says_that_there_is_no_body)
{
	expect(response_blob(404, NULL, 0, span_str(""), 0),
	       "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: "
	       "0\r\n\r\n");
}

Test(response, to_head_has_the_length_without_the_body)
{
	expect(response_blob(200, NULL, 0, span_str("PONG!"), RESPONSE_HEAD_ONLY),
	       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
}

Test(response, without_content_has_neither_length_nor_body)
{
	expect(response_blob(204, NULL, 0, span_str("lost"), RESPONSE_KEEP_ALIVE),
	       "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
	expect(response_blob(304, NULL, 0, span_str("lost"), RESPONSE_KEEP_ALIVE),
	       "HTTP/1.1 304 Not Modified\r\nConnection: keep-alive\r\n\r\n");
}

Test(response, leaves_out_headers_that_would_break_its_frame)
{
	struct response_header h[] = {
		header("Good", "yes"),
		header("Bad\r\nX", "a"),
		header("Bad", "a\r\nSet-Cookie: b"),
		header("", "a"),
		header("Bad", "a\nb"),
		header("connection", "upgrade"),
		header("CONTENT-LENGTH", "1"),
		header("Transfer-Encoding", "chunked"),
		header("Keep-Alive", "timeout=5"),
		header("Upgrade", "h2c"),
		header("Sec-WebSocket-Accept", "x"),
		header("Sec-WebSocket-Extensions", "x"),
		header("Bad", "\x7f"),
		header("Tab", "a\tb"),
		{span_str("Bad"), span_of("a\0b", 3)},
	};

	expect(response_blob(200, h, sizeof h / sizeof *h, span_str(""), 0),
	       "HTTP/1.1 200 OK\r\nGood: yes\r\nTab: a\tb\r\nConnection: "
	       "close\r\nContent-Length: 0\r\n\r\n");
}

Test(response, that_switches_accepts_the_key_and_names_one_subprotocol)
{
	struct response_header h[] = {
		header("X-Session", "7"),
		header("Sec-WebSocket-Protocol", "other"),
		header("Connection", "close"),
	};

	expect(response_switching(span_str("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
				  span_str("chat"), h, 3),
	       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
	       "Upgrade\r\n"
	       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	       "Sec-WebSocket-Protocol: chat\r\nX-Session: 7\r\n\r\n");
}

Test(response, that_switches_names_no_subprotocol_when_there_is_none)
{
	expect(response_switching(span_str("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), span_str(""),
				  NULL, 0),
	       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
	       "Upgrade\r\n"
	       "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

Test(response, every_status_has_a_reason)
{
	for (int status = 100; status <= 999; status++)
		cr_assert(strlen(response_reason(status)) > 1);
	cr_assert(eq(str, (char *)response_reason(426), "Upgrade Required"));
	cr_assert(eq(str, (char *)response_reason(299), "Unknown"));
}
