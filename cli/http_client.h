#ifndef CLI_HTTP_CLIENT_H
#define CLI_HTTP_CLIENT_H

/* One HTTP request, waited for, over libcurl. */

#include "base/err.h"

#include <stddef.h>

struct http_reply {
	long status;
	char *body; /* ended by a zero byte; at most 1 MiB is kept */
	size_t n;
};

/*
 * method   "GET", "POST", "DELETE"
 * body     NULL for none
 * out      to be freed with http_reply_free, whatever this returns
 * returns  OK, whatever the status is; ERR_DOWN without an answer in 10 s
 */
must_use enum err http_call(const char *method, const char *url, const char *body,
			    struct http_reply *out);
void http_reply_free(struct http_reply *r);

#endif
