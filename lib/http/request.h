#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

/* The head of an HTTP/1.x request, read in place: all spans lie in the bytes given to request_parse. */

#include "base/err.h"
#include "base/span.h"

enum { REQUEST_HEADERS = 100 };

struct header {
	struct span name;  /* as sent; compare without case */
	struct span value; /* without the white space around it */
};

struct request_limits {
	size_t max_target;  /* bytes of the request target: over it 414 */
	size_t max_head;    /* bytes of the whole head: over it 431 */
	size_t max_headers; /* at most REQUEST_HEADERS: over it 431 */
};

struct request {
	struct span method;
	struct span path;  /* begins with "/", not decoded */
	struct span query; /* without the "?"; p is NULL when there was no "?" */
	struct span
		host; /* of an absolute target, else of Host; empty on an HTTP/1.0 request without */
	int minor_version; /* 0 or 1 */
	size_t n_headers;
	size_t head_bytes;      /* up to and with the empty line; the body begins there */
	int64_t content_length; /* -1: not said; no body, unless it is chunked */
	bool chunked;           /* the body comes in chunks: http/body.h */
	bool keep_alive;
	bool expect_continue;
	int status;      /* on an error: of the answer to send before closing */
	const char *why; /* on an error: a sentence for its body */
	struct header headers[REQUEST_HEADERS];
};

/*
 * Read a request head, strictly.
 *
 * in       all bytes of the connection so far; more than the head is fine
 * out      filled on OK; status and why alone on ERR_MALFORMED and ERR_TOOBIG
 * returns  OK; ERR_AGAIN: so far it is well, but more must come; ERR_MALFORMED
 *          (400, 501 for a Transfer-Encoding other than chunked, 505) or ERR_TOOBIG (414, 431):
 *          answer, and close
 * source   RFC 9112 2 to 6; RFC 9110 5.5, 5.6.2, 7.2, 8.6
 */
must_use enum err request_parse(struct span in, const struct request_limits *lim,
				struct request *out);

/* The first header of this name (any case); NULL when there is none. */
const struct header *request_header(const struct request *r, const char *name);

/* How many headers have this name. */
size_t request_count(const struct request *r, const char *name);

/* Is word (any case) in the comma-separated lists of all headers of this name? */
bool request_lists(const struct request *r, const char *name, const char *word);

/*
 * Walk over the elements of a comma-separated list: *rest starts as a header's value.
 * False at the end. Empty elements are skipped (RFC 9110 5.6.1.2).
 */
bool request_list_next(struct span *rest, struct span *element);

/* Is it a token (RFC 9110 5.6.2)? */
bool request_is_token(struct span s);

#endif
