#include "http/response.h"

#include "base/log.h"
#include "http/request.h"

#include <assert.h>
#include <stdio.h>

/* Written twice: first with p NULL, to know the length, then into the blob. */
struct writer {
	uint8_t *p;
	size_t n;
};

static void put(struct writer *w, struct span s)
{
	if (w->p && s.n > 0)
		memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
}

static void put_str(struct writer *w, const char *s)
{
	put(w, span_str(s));
}

static void put_number(struct writer *w, size_t v)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%zu", v);

	put(w, span_of(text, (size_t)n));
}

static void put_status(struct writer *w, int status)
{
	put_str(w, "HTTP/1.1 ");
	put_number(w, (size_t)status);
	put_str(w, " ");
	put_str(w, response_reason(status));
	put_str(w, "\r\n");
}

/* Headers about the end of the message or of the connection: only the server writes them. */
static bool is_ours(struct span name)
{
	static const char *const names[] = {
		"Connection",
		"Content-Length",
		"Keep-Alive",
		"Proxy-Connection",
		"Sec-WebSocket-Accept",
		"Sec-WebSocket-Extensions",
		"TE",
		"Trailer",
		"Transfer-Encoding",
		"Upgrade",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

/* A CR or LF in a value would let a function, or its input, add headers and responses. */
static bool is_value(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

static void put_header(struct writer *w, struct span name, struct span value)
{
	put(w, name);
	put_str(w, ": ");
	put(w, value);
	put_str(w, "\r\n");
}

/* Left out, and logged once: a response is written twice, and the first time counts. */
static void drop_header(const struct writer *w, const struct response_header *h)
{
	if (w->p == NULL)
		log_info_flood("response.header.dropped", B("name", h->name),
			       S("why", is_ours(h->name) ? "this server writes it itself"
							 : "HTTP does not allow it"));
}

static void put_headers(struct writer *w, const struct response_header *h, size_t n,
			const char *but)
{
	for (size_t i = 0; i < n; i++) {
		if (but && span_is_nocase(h[i].name, but))
			continue;
		if (request_is_token(h[i].name) && is_value(h[i].value) &&
		    !is_ours(h[i].name))
			put_header(w, h[i].name, h[i].value);
		else
			drop_header(w, &h[i]);
	}
}

struct response {
	int status;
	const struct response_header *h;
	size_t n;
	struct span body;
	unsigned flags;
};

/* RFC 9110 6.4.1, 8.6: these have no body, and 1xx and 204 no Content-Length either. */
bool response_has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* RFC 9110 15.5.22, 7.8: a 426 has Upgrade, and a message with Upgrade lists it in Connection. */
static void put_connection(struct writer *w, const struct response *r)
{
	if (r->status == 426)
		put_str(w, "Upgrade: websocket\r\n");
	put_str(w, r->status == 426 ? "Connection: upgrade, " : "Connection: ");
	put_str(w, r->flags & RESPONSE_KEEP_ALIVE ? "keep-alive\r\n" : "close\r\n");
}

static void put_response(struct writer *w, const struct response *r)
{
	put_status(w, r->status);
	put_headers(w, r->h, r->n, NULL);
	put_connection(w, r);
	if (response_has_body(r->status)) {
		put_str(w, "Content-Length: ");
		put_number(w, r->body.n);
		put_str(w, "\r\n");
	}
	put_str(w, "\r\n");
	if (response_has_body(r->status) && !(r->flags & RESPONSE_HEAD_ONLY))
		put(w, r->body);
}

struct blob *response_blob(int status, const struct response_header *h, size_t n,
			   struct span body, unsigned flags)
{
	struct response r = {status, h, n, body, flags};
	struct writer w = {0};

	assert(status >= 100 && status <= 999);
	put_response(&w, &r);

	struct blob *b = blob_alloc(w.n);

	w = (struct writer){.p = b->p};
	put_response(&w, &r);
	return b;
}

static void put_switching(struct writer *w, struct span accept, struct span subprotocol,
			  const struct response_header *h, size_t n)
{
	put_status(w, 101);
	put_str(w, "Upgrade: websocket\r\nConnection: Upgrade\r\n");
	put_header(w, span_str("Sec-WebSocket-Accept"), accept);
	if (subprotocol.n > 0)
		put_header(w, span_str("Sec-WebSocket-Protocol"), subprotocol);
	put_headers(w, h, n, "Sec-WebSocket-Protocol");
	put_str(w, "\r\n");
}

struct blob *response_switching(struct span accept, struct span subprotocol,
				const struct response_header *h, size_t n)
{
	struct writer w = {0};

	put_switching(&w, accept, subprotocol, h, n);

	struct blob *b = blob_alloc(w.n);

	w = (struct writer){.p = b->p};
	put_switching(&w, accept, subprotocol, h, n);
	return b;
}

/* RFC 9110 15, RFC 6585. */
const char *response_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{100, "Continue"},
		{101, "Switching Protocols"},
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{203, "Non-Authoritative Information"},
		{204, "No Content"},
		{205, "Reset Content"},
		{206, "Partial Content"},
		{300, "Multiple Choices"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{402, "Payment Required"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{416, "Range Not Satisfiable"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{426, "Upgrade Required"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}
