#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

/* Frames as a client writes and reads them. Written apart from the edge's, so that the two check each other. */

#include "base/err.h"
#include "base/span.h"

enum frame_op { FRAME_TEXT = 1, FRAME_CLOSE = 8, FRAME_PING = 9, FRAME_PONG = 10 };

enum { FRAME_HEADER = 14 }; /* of the longest header, with its mask */

/* Write one whole masked frame; out has room for FRAME_HEADER + body.n. Returns its length. */
size_t frame_write(uint8_t *out, enum frame_op op, struct span body, uint32_t mask);

struct frame_in {
	unsigned op;
	bool fin;
	struct span body; /* borrowed from what was read */
	size_t whole;     /* header and body */
};

/*
 * Read one whole frame of a server's.
 *
 * returns  OK; ERR_AGAIN when it has not come whole; ERR_MALFORMED when it is masked or has a
 *          reserved bit
 * source   RFC 6455 5.2
 */
must_use enum err frame_read(struct span in, struct frame_in *out);

/* The code of a close frame; 1005 when it has none (RFC 6455 7.1.5). */
unsigned frame_close_code(struct span body);

#endif
