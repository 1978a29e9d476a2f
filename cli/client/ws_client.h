#ifndef CLI_CLIENT_WS_CLIENT_H
#define CLI_CLIENT_WS_CLIENT_H

/*
 * A WebSocket client for one conversation: it waits for what it asks for, each time with
 * a deadline. Pings are answered and fragments put together on the way.
 *
 * source  RFC 6455 4.1, 5, 7
 */

#include "base/err.h"
#include "base/span.h"

struct ws_client;

enum ws_kind { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8 };

struct ws_message {
	enum ws_kind kind;
	struct span body;    /* of a close: the reason; until the next call */
	unsigned close_code; /* of a close: 1005 when there is none in it */
};

/*
 * Connect and shake hands.
 *
 * url         "ws://127.0.0.1:8080/dev"
 * user_agent  for the header, and so for the row in the connection table
 * timeout_ms  for this, and for each later call
 * status      the answer's HTTP status; 0 when there was none
 * returns     NULL unless the handshake was right to the last header
 */
struct ws_client *ws_client_open(const char *url, const char *user_agent,
				 int64_t timeout_ms, int *status);

/* From now on ws_client_take waits for as long as the server lives; TCP probes find out when it does not. */
void ws_client_wait(struct ws_client *c);

/* Closes the socket without a word. NULL is fine. */
void ws_client_free(struct ws_client *c);

/* Send one message. ERR_DOWN when the server cannot be reached any more. */
must_use enum err ws_client_send(struct ws_client *c, enum ws_kind kind,
				 struct span body);

/*
 * Wait for one message; the server's close is answered with the same code.
 *
 * returns  OK; ERR_TIMEOUT when the time is over; ERR_DOWN at the end of the stream;
 *          ERR_MALFORMED and ERR_TOOBIG (over 1 MiB) for what a server must not send
 */
must_use enum err ws_client_take(struct ws_client *c, struct ws_message *out);

#endif
