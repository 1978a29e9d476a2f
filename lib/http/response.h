#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

/* HTTP/1.1 responses, each as one blob. */

#include "base/blob.h"
#include "base/span.h"

struct response_header {
	struct span name;
	struct span value;
};

enum response_flags {
	RESPONSE_KEEP_ALIVE = 1, /* else Connection: close */
	RESPONSE_HEAD_ONLY = 2,  /* the answer to HEAD: all but the body */
};

/*
 * A whole response.
 *
 * status   100 to 999
 * h        headers, from functions too: those with a name that is no token or a
 *          value with a control byte are left out, and so are those that are ours
 *          to write (Connection, Content-Length, Transfer-Encoding, Upgrade, …)
 * body     not sent with 1xx, 204 and 304
 * flags    enum response_flags
 * owns     the caller holds the one reference
 */
struct blob *response_blob(int status, const struct response_header *h, size_t n,
			   struct span body, unsigned flags);

/*
 * The 101 that ends an opening handshake (RFC 6455 4.2.2).
 *
 * accept       for Sec-WebSocket-Accept
 * subprotocol  one of those offered; empty: none
 * h            as above; Sec-WebSocket-Protocol is left out too
 */
struct blob *response_switching(struct span accept, struct span subprotocol,
				const struct response_header *h, size_t n);

/* May a response with this status have a body? */
bool response_has_body(int status);

/* "Not Found"; "Unknown" for a number without a name. */
const char *response_reason(int status);

#endif
