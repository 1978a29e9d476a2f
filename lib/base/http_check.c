#include "base/http_check.h"

#include "base/span.h"

#include <arpa/inet.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

static __attribute__((format(printf, 4, 5))) void
refuse(struct http_refusal *out, int status, const char *reason, const char *fmt, ...)
{
	va_list ap;

	out->status = status;
	out->reason = reason;
	va_start(ap, fmt);
	vsnprintf(out->why, sizeof out->why, fmt, ap);
	va_end(ap);
}

/* ---- framing ---- */

static bool is_token(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!(*s >= '0' && *s <= '9') && !(*s >= 'A' && *s <= 'Z') &&
		    !(*s >= 'a' && *s <= 'z') && strchr(others, *s) == NULL)
			return false;
	return true;
}

static size_t count(const struct evkeyvalq *headers, const char *name)
{
	const struct evkeyval *h;
	size_t n = 0;

	TAILQ_FOREACH(h, headers, next)
	n += strcasecmp(h->key, name) == 0;
	return n;
}

/* RFC 9112 5.1: no white space between the name and the colon. */
static bool names_are_tokens(const struct evkeyvalq *headers)
{
	const struct evkeyval *h;

	TAILQ_FOREACH(h, headers, next)
	if (!is_token(h->key))
		return false;
	return true;
}

/* Of these alone evhttp reads a body: any other's would be its next request. */
static bool may_have_body(struct evhttp_request *req)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	return method == EVHTTP_REQ_POST || method == EVHTTP_REQ_PUT ||
	       method == EVHTTP_REQ_PATCH;
}

static bool is_http_1_0(const struct evhttp_request *req)
{
	return req->major == 1 && req->minor == 0;
}

/* NULL: well. Else what is wrong; *status is set when it is not 400. */
static const char *fault(struct evhttp_request *req, int *status)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *length = evhttp_find_header(headers, "Content-Length");
	const char *coding = evhttp_find_header(headers, "Transfer-Encoding");
	size_t hosts = count(headers, "Host");

	if (!names_are_tokens(headers))
		return "A header's name is not a token";
	if (hosts > 1 || (hosts == 0 && !is_http_1_0(req)))
		return "The request must have one Host";
	if (length != NULL && coding != NULL)
		return "The request has both Content-Length and Transfer-Encoding";
	if (count(headers, "Content-Length") > 1)
		return "The request has more than one Content-Length";
	if (length != NULL &&
	    (*length == '\0' || length[strspn(length, "0123456789")] != '\0'))
		return "The Content-Length is not a number";
	if (count(headers, "Transfer-Encoding") > 1 ||
	    (coding != NULL && is_http_1_0(req)))
		return "The request has more than one Transfer-Encoding, or is HTTP/1.0";
	if (coding != NULL && strcasecmp(coding, "chunked") != 0) {
		*status = 501;
		return "The only Transfer-Encoding that is served is chunked";
	}
	if (!may_have_body(req) &&
	    (coding != NULL || (length != NULL && strspn(length, "0") != strlen(length))))
		return "A request with this method has no body";
	return NULL;
}

enum err http_check_framing(struct evhttp_request *req, struct http_refusal *out)
{
	int status = 400;
	const char *why = fault(req, &status);

	if (why == NULL)
		return OK;
	refuse(out, status, status == 400 ? "Bad Request" : "Not Implemented", "%s", why);
	evhttp_add_header(evhttp_request_get_output_headers(req), "Connection", "close");
	return ERR_MALFORMED;
}

/* ---- who sends it ---- */

/* Without the port; of "[::1]:80" without the brackets too. */
static struct span name_of(struct span host)
{
	const uint8_t *end;

	if (host.n > 0 && host.p[0] == '[') {
		end = memchr(host.p, ']', host.n);
		return end ? span_of(host.p + 1, (size_t)(end - host.p) - 1) : host;
	}
	end = memchr(host.p, ':', host.n);
	return end ? span_of(host.p, (size_t)(end - host.p)) : host;
}

static bool is_loopback(struct span name)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr in4;
	struct in6_addr in6;

	if (span_is_nocase(name, "localhost"))
		return true;
	if (name.n >= sizeof text)
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	if (inet_pton(AF_INET, text, &in4) == 1)
		return ntohl(in4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, text, &in6) == 1 && IN6_IS_ADDR_LOOPBACK(&in6);
}

static bool is_same(struct span a, struct span b)
{
	return a.n == b.n && strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0;
}

bool http_host_is_known(const char *host, const char *names)
{
	struct span name = name_of(span_str(host));

	if (is_loopback(name))
		return true;
	while (name.n > 0 && *names != '\0') {
		size_t n = strcspn(names, ",");

		if (is_same(name, name_of(span_of(names, n))))
			return true;
		names += n + (names[n] == ',');
	}
	return false;
}

static bool is_absolute(const char *target)
{
	return strncasecmp(target, "http://", 7) == 0 ||
	       strncasecmp(target, "https://", 8) == 0;
}

/* RFC 9112 3.2.2: an absolute form's host counts, and not the header. NULL: HTTP/1.0 without. */
static const char *host_of(struct evhttp_request *req)
{
	if (is_absolute(evhttp_request_get_uri(req)))
		return evhttp_uri_get_host(evhttp_request_get_evhttp_uri(req));
	return evhttp_find_header(evhttp_request_get_input_headers(req), "Host");
}

enum err http_check_sender(struct evhttp_request *req, const struct http_hosts *hosts,
			   struct http_refusal *out)
{
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *site = evhttp_find_header(headers, "Sec-Fetch-Site");
	const char *host = host_of(req);

	if (evhttp_find_header(headers, "Origin") != NULL ||
	    (site != NULL && (strcasecmp(site, "cross-site") == 0 ||
			      strcasecmp(site, "same-site") == 0))) {
		refuse(out, 403, "Forbidden",
		       "Requests of web pages (Origin, Sec-Fetch-Site) are not served "
		       "here");
		return ERR_DENIED;
	}
	if (hosts->names == NULL || host == NULL ||
	    http_host_is_known(host, hosts->names))
		return OK;
	refuse(out, 403, "Forbidden", "Host is not localhost or a loopback address: %s",
	       hosts->remedy);
	return ERR_DENIED;
}

const char *http_target(struct evhttp_request *req)
{
	const char *uri = evhttp_request_get_uri(req);

	if (!is_absolute(uri))
		return uri;
	uri = strchr(uri, ':') + strlen("://");
	return uri + strcspn(uri, "/?");
}
