#ifndef HTTP_SENDER_H
#define HTTP_SENDER_H

/*
 * Who sent a request to a server that asks for no credentials: not a browser on behalf of a web page (DNS
 * rebinding, cross-site requests).
 *
 * source  Fetch Metadata Request Headers
 */

#include "http/request.h"

/* Whom such a server serves. */
struct sender_hosts {
	/* Allowed in Host beside loopback's, with commas; ports do not count. NULL: any, for a server that others can reach. */
	const char *names;
	const char *hint; /* ends the sentence about another Host: "name it in --hosts" */
};

enum { SENDER_WHY = 256 };

/*
 * May whoever sent this be served without credentials?
 *
 * why      on ERR_DENIED: a sentence for the body of the 403, without quotation marks
 * returns  OK; ERR_DENIED: it has Origin or a Sec-Fetch-Site of another site, or its Host is neither
 *          loopback nor named
 */
must_use enum err sender_check(const struct request *r, const struct sender_hosts *hosts,
			       char why[SENDER_WHY]);

/* Is host ("localhost", "127.0.0.1:80", "[::1]:80") of loopback, or one of names, which have commas between them? */
bool sender_host_is_known(struct span host, const char *names);

#endif
