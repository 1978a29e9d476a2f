#ifndef EDGE_CLIENT_UPGRADE_H
#define EDGE_CLIENT_UPGRADE_H

/* The opening handshake of RFC 6455, section 4.2. */

#include "http/request.h"

enum { UPGRADE_PROTOCOLS = 32 };

struct upgrade {
	struct span key; /* 24 characters of base64 */
	size_t n_protocols;
	struct span protocols
		[UPGRADE_PROTOCOLS]; /* subprotocols offered, the client's first choice first */
	int status;                  /* on ERR_MALFORMED */
	const char *why;             /* on ERR_MALFORMED: a sentence for the body */
};

/*
 * Is this request an opening handshake?
 *
 * out      filled on OK; its spans live as long as those of r. On ERR_MALFORMED
 *          status and why
 * returns  OK; ERR_NOTFOUND: a plain request (it does not ask for a WebSocket);
 *          ERR_MALFORMED: it asks for one wrongly: 400; 405 (answer with
 *          Allow: GET); 426 (answer with Sec-WebSocket-Version: 13)
 * source   RFC 6455 4.2.1, 4.4
 */
must_use enum err upgrade_check(const struct request *r, struct upgrade *out);

#endif
