#ifndef WS_MESSAGE_H
#define WS_MESSAGE_H

/*
 * A client's bytes after the upgrade, into whole messages: frames joined, control
 * frames picked out from between them, text checked as it arrives.
 *
 * A reader that is idle holds nothing and is all zeroes: keep one on the stack, and
 * move it (by assignment) to the heap only when it is not idle after the bytes at
 * hand have been read.
 */

#include "base/blob.h"
#include "base/err.h"
#include "base/span.h"
#include "ws/frame.h"

enum message_kind {
	MESSAGE_TEXT,
	MESSAGE_BINARY,
	MESSAGE_PING,
	MESSAGE_PONG,
	MESSAGE_CLOSE
};

struct message {
	enum message_kind kind;
	struct blob *body;  /* yours, on OK; never NULL, but may have 0 bytes */
	struct span reason; /* MESSAGE_CLOSE: inside body, as long as you hold that */
	uint16_t
		code; /* MESSAGE_CLOSE: the client's, 1005 for none; on an error: the one to send */
	const char *why; /* on an error: a sentence for the close frame's reason */
};

struct message_limits {
	uint64_t max_message; /* bytes of a message, all frames together */
	uint64_t max_frame;   /* bytes of a data frame's payload */
};

struct message_reader {
	struct frame frame; /* whose payload is arriving, if in_frame */
	struct blob
		*body; /* of the data message so far; has room for more than arrived */
	size_t body_n; /* of it, what has arrived */
	size_t empty; /* its frames without a payload: as long as a byte each, for the limit */
	struct blob *control;
	uint64_t taken; /* bytes of the frame's payload that have arrived */
	uint32_t utf8;
	bool in_frame;
	uint8_t op; /* of the data message that is under way; 0 when none is */
	uint8_t head_n;
	uint8_t head[FRAME_HEADER_MOST]; /* a header's first bytes, when it was cut */
};

/* Between messages: may be thrown away, and be zeroed again for the next bytes. */
bool message_reader_is_idle(const struct message_reader *r);

/* Free what r holds, and make it idle. */
void message_reader_close(struct message_reader *r);

/* Bytes that r holds on the heap, for budgets. They follow what has arrived, not what a header promised. */
size_t message_reader_bytes(const struct message_reader *r);

/*
 * Read up to the end of one message, or of the bytes.
 *
 * in       advanced over what was read
 * out      filled on OK; on ERR_MALFORMED and ERR_TOOBIG its code and why are
 * returns  OK: one message, call again; ERR_AGAIN: in is used up; ERR_MALFORMED
 *          (close with 1002 or 1007) and ERR_TOOBIG (1009): send that close
 *          frame, close the reader and read no more
 * source   RFC 6455 5.4, 5.5, 7.4, 8.1
 */
must_use enum err message_read(struct message_reader *r, struct span *in,
			       const struct message_limits *lim, struct message *out);

#endif
