#ifndef WS_ACCEPT_KEY_H
#define WS_ACCEPT_KEY_H

/* The two keys of the opening handshake: RFC 6455 4.1 and 4.2.2. No state. */

#include "base/span.h"

enum {
	ACCEPT_KEY_NONCE = 16, /* bytes behind a Sec-WebSocket-Key */
	ACCEPT_KEY_CHARS = 24, /* of a Sec-WebSocket-Key: base64 of the nonce */
	ACCEPT_KEY_REQUEST = ACCEPT_KEY_CHARS + 1, /* the same with its zero */
	ACCEPT_KEY_ANSWER = 29, /* a Sec-WebSocket-Accept with its zero */
};

/* Is s the base64 of 16 bytes, as a Sec-WebSocket-Key must be? */
bool accept_key_is_valid(struct span s);

/* The Sec-WebSocket-Key for a nonce, which a client chooses at random. */
void accept_key_request(const uint8_t nonce[ACCEPT_KEY_NONCE],
			char out[ACCEPT_KEY_REQUEST]);

/*
 * The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key.
 *
 * key  of ACCEPT_KEY_CHARS characters
 */
void accept_key_answer(struct span key, char out[ACCEPT_KEY_ANSWER]);

#endif
