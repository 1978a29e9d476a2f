#ifndef HTTP_BODY_H
#define HTTP_BODY_H

/*
 * The body of a request, read as it comes: by Content-Length, or in chunks (RFC 9112 7.1).
 * Nothing is kept here: content is handed on where it lies.
 */

#include "http/request.h"

struct body_reader {
	uint64_t
		left; /* bytes of content that are still to come: of all, or of this chunk */
	uint64_t room;   /* bytes of content that may come beyond those */
	uint32_t extras; /* bytes of chunk extensions and trailers so far */
	uint8_t state;
	bool any;        /* this line has a digit, or a byte of a name */
	int status;      /* on an error: of the answer to send before closing */
	const char *why; /* on an error: a sentence for its body */
};

/*
 * Begin behind the head r.
 *
 * most     bytes of content that the body may have
 * returns  OK: there is something to read; ERR_NOTFOUND: no body, or an empty one;
 *          ERR_TOOBIG: Content-Length is over most, status is 413
 */
must_use enum err body_begin(struct body_reader *b, const struct request *r,
			     uint64_t most);

/*
 * Read on. Chunk extensions and trailers are checked and ignored.
 *
 * in       bytes that came, in order; moves behind what was used
 * piece    gets content that lies in them, perhaps none; on OK and ERR_AGAIN alone
 * returns  ERR_AGAIN: call again, with more bytes when in is used up; OK: piece was the last
 *          one, and in stands behind the body; ERR_MALFORMED (400) or ERR_TOOBIG (413, or
 *          431 for extensions and trailers over 4 KiB): answer, and close
 */
must_use enum err body_read(struct body_reader *b, struct span *in, struct span *piece);

#endif
