#ifndef CLI_CLIENT_HTTP_CLIENT_H
#define CLI_CLIENT_HTTP_CLIENT_H

/* One HTTP request, waited for, over libcurl. */

#include "base/err.h"
#include "base/span.h"

#include <stddef.h>

struct http_reply {
	long status;
	char *body; /* ended by a zero byte; one of more than 32 MiB is no answer */
	size_t n;
};

struct http_request {
	const char *method; /* "GET", "POST", "DELETE" */
	const char *url;
	struct span body;     /* no bytes: none, or for a POST an empty one */
	char *const *headers; /* "Name: value" …, NULL; may be NULL */
};

/*
 * out      to be freed with http_reply_free, whatever this returns
 * returns  OK, whatever the status is; ERR_DOWN without an answer in 10 s
 */
must_use enum err http_send(const struct http_request *r, struct http_reply *out);

/* The same without headers of its own; body: NULL for none. */
must_use enum err http_call(const char *method, const char *url, const char *body,
			    struct http_reply *out);
void http_reply_free(struct http_reply *r);

#endif
