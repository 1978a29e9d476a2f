#include "http/request.h"

#include <stddef.h>

/* Where the reading stands. All parts below move at forward; none goes back. */
struct reader {
	struct span in;
	size_t at;
	const struct request_limits *lim;
	struct request *out;
};

static enum err read_line_start(struct reader *rd);
static enum err read_method(struct reader *rd);
static enum err read_target(struct reader *rd);
static enum err read_version(struct reader *rd);
static enum err read_headers(struct reader *rd);
static enum err check_headers(struct request *r);

enum { METHOD_MOST = 32 };

static enum err refuse(struct request *out, enum err e, int status, const char *why)
{
	out->status = status;
	out->why = why;
	return e;
}

static enum err malformed(struct request *out, const char *why)
{
	return refuse(out, ERR_MALFORMED, 400, why);
}

enum err request_parse(struct span in, const struct request_limits *lim,
		       struct request *out)
{
	static enum err (*const parts[])(struct reader *) = {
		read_line_start, read_method, read_target, read_version, read_headers,
	};
	struct reader rd = {.in = in, .lim = lim, .out = out};
	enum err e = OK;

	memset(out, 0, offsetof(struct request, headers));
	for (size_t i = 0; e == OK && i < sizeof parts / sizeof *parts; i++)
		e = parts[i](&rd);
	if ((e == OK && rd.at > lim->max_head) ||
	    (e == ERR_AGAIN && in.n >= lim->max_head))
		return refuse(out, ERR_TOOBIG, 431,
			      "The request's head is over the limit.");
	out->head_bytes = rd.at;
	return e == OK ? check_headers(out) : e;
}

/* CRLF at rd->at, and nothing else that ends a line. */
static enum err read_crlf(struct reader *rd)
{
	if (rd->at == rd->in.n)
		return ERR_AGAIN;
	if (rd->in.p[rd->at] != '\r')
		return malformed(rd->out, "A line must end with CR LF.");
	if (rd->at + 1 == rd->in.n)
		return ERR_AGAIN;
	if (rd->in.p[rd->at + 1] != '\n')
		return malformed(rd->out, "A CR must be followed by LF.");
	rd->at += 2;
	return OK;
}

/* RFC 9112 2.2: one empty line before the request line is skipped. */
static enum err read_line_start(struct reader *rd)
{
	if (rd->in.n > 0 && rd->in.p[0] == '\r')
		return read_crlf(rd);
	return OK;
}

/* RFC 9110 5.6.2: tchar. */
static bool is_tchar(uint8_t c)
{
	static const bool marks[128] = {
		['!'] = 1,  ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1,
		['\''] = 1, ['*'] = 1, ['+'] = 1, ['-'] = 1, ['.'] = 1,
		['^'] = 1,  ['_'] = 1, ['`'] = 1, ['|'] = 1, ['~'] = 1,
	};

	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c < 128 && marks[c]);
}

static size_t token_length(const struct reader *rd)
{
	size_t end = rd->at;

	while (end < rd->in.n && is_tchar(rd->in.p[end]))
		end++;
	return end - rd->at;
}

static enum err read_method(struct reader *rd)
{
	size_t n = token_length(rd);
	size_t end = rd->at + n;

	if (n > METHOD_MOST)
		return refuse(rd->out, ERR_MALFORMED, 501,
			      "There is no method of this name.");
	if (end == rd->in.n)
		return ERR_AGAIN;
	if (n == 0 || rd->in.p[end] != ' ')
		return malformed(rd->out,
				 "The request does not begin with a method and a space.");
	rd->out->method = span_of(rd->in.p + rd->at, n);
	rd->at = end + 1;
	return OK;
}

/* RFC 3986 3.2.2, loosely: no byte that could end the authority or hide a second one. */
static bool is_authority(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("/?#@,\\\"<>", s.p[i]))
			return false;
	return s.n > 0;
}

static size_t scheme_length(struct span target)
{
	static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t n = strlen(schemes[i]);

		if (target.n >= n && span_is_nocase(span_of(target.p, n), schemes[i]))
			return n;
	}
	return 0;
}

/* RFC 9112 3.2.2: absolute form. Its authority counts, not Host's; the rest is as in origin form. */
static bool strip_authority(struct request *r, struct span *target)
{
	size_t start = scheme_length(*target);
	size_t end = start;

	while (end < target->n && target->p[end] != '/' && target->p[end] != '?')
		end++;
	r->host = span_of(target->p + start, end - start);
	*target = span_of(target->p + end, target->n - end);
	return start > 0 && is_authority(r->host);
}

static enum err split_target(struct request *r, struct span target)
{
	if (target.p[0] != '/' && !strip_authority(r, &target))
		return malformed(
			r, "The request target must be a path that begins with '/'.");

	const uint8_t *mark = target.n ? memchr(target.p, '?', target.n) : NULL;
	size_t n = mark ? (size_t)(mark - target.p) : target.n;

	r->path = n ? span_of(target.p, n) : span_str("/");
	if (mark)
		r->query = span_of(mark + 1, target.n - n - 1);
	return OK;
}

static enum err read_target(struct reader *rd)
{
	size_t end = rd->at;

	while (end < rd->in.n && rd->in.p[end] > ' ' && rd->in.p[end] < 0x7f &&
	       rd->in.p[end] != '#')
		end++;

	struct span target = span_of(rd->in.p + rd->at, end - rd->at);

	if (target.n > rd->lim->max_target)
		return refuse(rd->out, ERR_TOOBIG, 414,
			      "The request target is over the limit.");
	if (end == rd->in.n)
		return ERR_AGAIN;
	if (target.n == 0 || rd->in.p[end] != ' ')
		return malformed(rd->out,
				 "The request target has a byte that must be escaped.");
	rd->at = end + 1;
	return split_target(rd->out, target);
}

static enum err read_version(struct reader *rd)
{
	static const char shape[] = "HTTP/0.0";
	const uint8_t *p = rd->in.p + rd->at;
	size_t n = rd->in.n - rd->at;

	for (size_t i = 0; i < sizeof shape - 1; i++) {
		if (i == n)
			return ERR_AGAIN;
		if (shape[i] == '0' ? p[i] < '0' || p[i] > '9'
				    : p[i] != (uint8_t)shape[i])
			return malformed(
				rd->out,
				"The request line does not end with an HTTP version.");
	}
	if (p[5] != '1')
		return refuse(rd->out, ERR_MALFORMED, 505,
			      "This server speaks HTTP/1.1.");
	rd->out->minor_version = p[7] > '0';
	rd->at += sizeof shape - 1;
	return read_crlf(rd);
}

/* RFC 9110 5.5: visible, obs-text, blank; no other control byte. */
static bool is_field_byte(uint8_t c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

static enum err read_name(struct reader *rd, struct span *name)
{
	size_t n = token_length(rd);
	size_t end = rd->at + n;

	if (end == rd->in.n)
		return ERR_AGAIN;
	if (n == 0 && (rd->in.p[end] == ' ' || rd->in.p[end] == '\t'))
		return malformed(rd->out, "A header must not be folded over two lines.");
	if (n == 0 || rd->in.p[end] != ':')
		return malformed(
			rd->out,
			"A header's name must be a token with a ':' right after it.");
	*name = span_of(rd->in.p + rd->at, n);
	rd->at = end + 1;
	return OK;
}

static enum err read_value(struct reader *rd, struct span *value)
{
	size_t end = rd->at;

	while (end < rd->in.n && is_field_byte(rd->in.p[end]))
		end++;
	*value = span_trim(span_of(rd->in.p + rd->at, end - rd->at));
	if (end < rd->in.n && rd->in.p[end] != '\r' && rd->in.p[end] != '\n')
		return malformed(rd->out, "A header's value has a control byte.");
	rd->at = end;
	return read_crlf(rd);
}

static enum err read_header(struct reader *rd)
{
	struct request *r = rd->out;
	struct header h;
	enum err e = read_name(rd, &h.name);

	if (e == OK)
		e = read_value(rd, &h.value);
	if (e != OK)
		return e;
	if (r->n_headers == REQUEST_HEADERS || r->n_headers >= rd->lim->max_headers)
		return refuse(r, ERR_TOOBIG, 431, "The request has too many headers.");
	r->headers[r->n_headers++] = h;
	return OK;
}

static enum err read_headers(struct reader *rd)
{
	for (;;) {
		if (rd->at == rd->in.n)
			return ERR_AGAIN;
		if (rd->in.p[rd->at] == '\r')
			return read_crlf(rd);

		enum err e = read_header(rd);

		if (e != OK)
			return e;
	}
}

/* RFC 9112 3.2: exactly one on HTTP/1.1; an absolute target's authority goes before it. */
static enum err check_host(struct request *r)
{
	size_t n = request_count(r, "Host");

	if (n == 0 && r->minor_version == 1)
		return malformed(r, "An HTTP/1.1 request must have a Host header.");
	if (n > 1)
		return malformed(r, "The request has more than one Host header.");
	if (n == 0)
		return OK;

	struct span host = request_header(r, "Host")->value;

	if (!is_authority(host))
		return malformed(r,
				 "The Host header is not a host with an optional port.");
	if (r->host.n == 0)
		r->host = host;
	return OK;
}

/* Digits alone; -1 when it is not that, or is over 2^63 - 1. */
static int64_t read_decimal(struct span s)
{
	int64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, s.p[i] - '0', &v))
			return -1;
	return s.n ? v : -1;
}

/* RFC 9112 6.1 to 6.3: two opinions about where a body ends are how requests are smuggled. */
static enum err check_body(struct request *r)
{
	size_t n = request_count(r, "Content-Length");
	size_t codings = request_count(r, "Transfer-Encoding");

	r->content_length = -1;
	if (codings > 0 && (n > 0 || r->minor_version == 0))
		return malformed(r, "Transfer-Encoding does not go with Content-Length, "
				    "nor with HTTP/1.0.");
	r->chunked =
		codings == 1 &&
		span_is_nocase(request_header(r, "Transfer-Encoding")->value, "chunked");
	if (codings > 0)
		return r->chunked ? OK
				  : refuse(r, ERR_MALFORMED, 501,
					   "The only Transfer-Encoding is chunked.");
	if (n > 1)
		return malformed(r, "The request has more than one Content-Length.");
	if (n == 0)
		return OK;
	r->content_length = read_decimal(request_header(r, "Content-Length")->value);
	if (r->content_length < 0)
		return malformed(r, "The Content-Length is not a number of bytes.");
	return OK;
}

static enum err check_headers(struct request *r)
{
	enum err e = check_host(r);

	if (e == OK)
		e = check_body(r);
	if (e != OK)
		return e;
	r->keep_alive =
		!request_lists(r, "Connection", "close") &&
		(r->minor_version == 1 || request_lists(r, "Connection", "keep-alive"));
	r->expect_continue =
		r->minor_version == 1 && request_lists(r, "Expect", "100-continue");
	return OK;
}

const struct header *request_header(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (span_is_nocase(r->headers[i].name, name))
			return &r->headers[i];
	return NULL;
}

size_t request_count(const struct request *r, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++)
		n += span_is_nocase(r->headers[i].name, name);
	return n;
}

bool request_list_next(struct span *rest, struct span *element)
{
	while (rest->n > 0) {
		const uint8_t *comma = memchr(rest->p, ',', rest->n);
		size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
		size_t past = comma ? n + 1 : n;

		*element = span_trim(span_of(rest->p, n));
		*rest = span_of(rest->p + past, rest->n - past);
		if (element->n > 0)
			return true;
	}
	return false;
}

bool request_lists(const struct request *r, const char *name, const char *word)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		struct span rest = r->headers[i].value;
		struct span element;

		if (!span_is_nocase(r->headers[i].name, name))
			continue;
		while (request_list_next(&rest, &element))
			if (span_is_nocase(element, word))
				return true;
	}
	return false;
}

bool request_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_tchar(s.p[i]))
			return false;
	return s.n > 0;
}
