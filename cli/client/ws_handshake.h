#ifndef CLI_CLIENT_WS_HANDSHAKE_H
#define CLI_CLIENT_WS_HANDSHAKE_H

/* The client's side of the opening handshake: RFC 6455 4.1. */

#include "cli/client/stream.h"

struct ws_request {
	const char *host;   /* "127.0.0.1:8080" */
	const char *target; /* "/dev" */
	const char *user_agent;
};

/*
 * Ask for the upgrade and read the answer's head.
 *
 * returns  its status, 101 only when all of it was right; 0 when there was no right answer
 */
int ws_handshake(struct stream *s, const struct ws_request *r);

#endif
