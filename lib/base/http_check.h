#ifndef BASE_HTTP_CHECK_H
#define BASE_HTTP_CHECK_H

/*
 * What evhttp lets through and should not, of a request at one of our own HTTP servers:
 * framing that a proxy in front may read otherwise (request smuggling), and requests that
 * a web page makes a browser send (DNS rebinding, cross-site requests).
 *
 * source  RFC 9112 3.2, 5.1, 6.1 to 6.3; RFC 9110 8.6; Fetch Metadata Request Headers
 */

#include "base/err.h"

#include <event2/http.h>
#include <stdbool.h>

struct http_refusal {
	int status;
	const char *reason; /* "Bad Request" */
	char why[256];      /* a sentence for the body, without quotation marks */
};

/*
 * Is it sure where the request ends? To be asked first, in the request's callback.
 *
 * out      filled on ERR_MALFORMED: 400, or 501 for a Transfer-Encoding
 * returns  OK; ERR_MALFORMED: the answer, whatever it is, closes the connection, and
 *          nothing behind the request is read
 */
must_use enum err http_check_framing(struct evhttp_request *req,
				     struct http_refusal *out);

/* Whom a server that asks nobody for credentials serves. */
struct http_hosts {
	const char *
		names; /* allowed in Host beside those of loopback, with commas; ports do not
			       count. NULL: any Host, for a server that others can reach */
	const char *
		remedy; /* ends the sentence for who asked another: "name it in --hosts" */
};

/*
 * May whoever sent this be served without credentials? Not a browser on behalf of a page
 * (Origin, Sec-Fetch-Site), and nobody who takes us for another host.
 *
 * out      filled on ERR_DENIED: 403
 */
must_use enum err http_check_sender(struct evhttp_request *req,
				    const struct http_hosts *hosts,
				    struct http_refusal *out);

/* Is host ("localhost", "127.0.0.1:80", "[::1]:80") of loopback, or one of names? */
bool http_host_is_known(const char *host, const char *names);

/* Path and query: the request target without the scheme and host of an absolute form (RFC 9112 3.2.2). */
const char *http_target(struct evhttp_request *req);

#endif
