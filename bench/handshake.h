#ifndef BENCH_HANDSHAKE_H
#define BENCH_HANDSHAKE_H

/*
 * The opening handshake of RFC 6455 4, as far as a generator and a floor need it.
 * Written apart from the edge's, so that the two check each other.
 */

#include "base/err.h"
#include "base/span.h"

enum { HANDSHAKE_KEY = 25, HANDSHAKE_ACCEPT = 29 }; /* base64 and a zero */

/* A Sec-WebSocket-Key that follows from number and seed alone, so that nobody has to keep it. */
void handshake_key(uint32_t number, uint64_t seed, char out[HANDSHAKE_KEY]);

/* The Sec-WebSocket-Accept that answers key, which has 24 characters. */
void handshake_accept(const char *key, char out[HANDSHAKE_ACCEPT]);

/*
 * Read a server's answer to an upgrade.
 *
 * in       what has come so far, borrowed
 * status   gets the HTTP status once the header is whole
 * used     gets the header's length; what follows are frames
 * returns  OK; ERR_AGAIN when the header is not whole; ERR_DENIED for another status than 101;
 *          ERR_MALFORMED when this is not HTTP/1.1, or the accept does not answer key
 */
must_use enum err handshake_check(struct span in, const char *key, unsigned *status,
				  size_t *used);

#endif
