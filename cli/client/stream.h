#ifndef CLI_CLIENT_STREAM_H
#define CLI_CLIENT_STREAM_H

/* A blocking TCP connection: each call waits until the deadline, at most. */

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#define STREAM_ENDLESS INT64_MAX /* a deadline that never comes */

struct stream {
	int fd;           /* -1: none */
	int64_t deadline; /* of clock_ms(); the caller moves it */
	uint8_t in[4096]; /* read, and not yet taken */
	size_t at, n;
};

/*
 * Connect.
 *
 * place    "127.0.0.1:8080"
 * returns  OK; ERR_DOWN if there is no connection before the deadline
 */
must_use enum err stream_open(struct stream *s, const char *place, int64_t deadline);
void stream_close(struct stream *s);

/* Have the kernel probe a silent peer: after about half a minute without an answer the stream ends. */
void stream_probe(struct stream *s);

/* Take n bytes. ERR_TIMEOUT when the time is over, ERR_DOWN at the end of the stream. */
must_use enum err stream_take(struct stream *s, void *out, size_t n);

/* Send n bytes. As stream_take. */
must_use enum err stream_send(struct stream *s, const void *p, size_t n);

#endif
