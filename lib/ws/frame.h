#ifndef WS_FRAME_H
#define WS_FRAME_H

/* WebSocket frames, as a server and as a client reads and writes them. RFC 6455 section 5; no state. */

#include "base/blob.h"
#include "base/err.h"
#include "base/span.h"

enum frame_op {
	FRAME_CONTINUATION = 0x0,
	FRAME_TEXT = 0x1,
	FRAME_BINARY = 0x2,
	FRAME_CLOSE = 0x8,
	FRAME_PING = 0x9,
	FRAME_PONG = 0xa,
};

enum { FRAME_HEADER_MOST = 14, FRAME_HEAD_MOST = 10, FRAME_CONTROL_MOST = 125 };

/* RFC 6455 7.4.1, and the IANA registry for 1012 to 1014. */
enum frame_code {
	FRAME_CODE_NORMAL = 1000,
	FRAME_CODE_GOING_AWAY = 1001,
	FRAME_CODE_PROTOCOL = 1002,
	FRAME_CODE_UNACCEPTABLE = 1003,
	FRAME_CODE_NONE = 1005,     /* never on the wire: the close frame was empty */
	FRAME_CODE_ABNORMAL = 1006, /* never on the wire: there was no close frame */
	FRAME_CODE_NOT_UTF8 = 1007,
	FRAME_CODE_POLICY = 1008,
	FRAME_CODE_TOOBIG = 1009,
	FRAME_CODE_INTERNAL = 1011,
	FRAME_CODE_RESTART = 1012,
	FRAME_CODE_TRY_LATER = 1013,
};

struct frame {
	unsigned op; /* enum frame_op */
	bool fin;
	uint64_t payload; /* bytes, 0 to 2^63 - 1 */
	size_t header;    /* bytes of the header, mask included */
	uint8_t mask[4];  /* of a client's frame; zeros in a server's */
	const char *
		why; /* set on ERR_MALFORMED alone: a sentence for the close frame's reason */
};

/*
 * Read the header of a client's frame.
 *
 * in       bytes from the wire, borrowed; part of a header is fine, and so is
 *          more than one frame
 * out      filled on OK; on ERR_MALFORMED why alone
 * returns  OK; ERR_AGAIN when in ends inside the header; ERR_MALFORMED for an
 *          unmasked frame, a reserved bit or opcode, a control frame that is
 *          fragmented or over 125 bytes, a length not in its shortest form,
 *          or one of 2^63 and over (all of them: close with 1002)
 * source   RFC 6455 5.2, 5.5
 */
must_use enum err frame_parse(struct span in, struct frame *out);

/* Read the header of a server's frame: the same, but a masked one is malformed (RFC 6455 5.1). */
must_use enum err frame_parse_server(struct span in, struct frame *out);

/*
 * Take the mask off n bytes of a payload (or put it on).
 *
 * to       may be from itself; otherwise they do not overlap
 * offset   where in the payload from[0] stands
 * source   RFC 6455 5.3
 */
void frame_unmask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t mask[4],
		  uint64_t offset);

/* The header of a server's frame (unmasked) into out; returns its length. */
size_t frame_head(uint8_t out[FRAME_HEAD_MOST], unsigned op, bool fin, uint64_t payload);

/* The header of a client's frame, mask included, into out; returns its length. */
size_t frame_head_masked(uint8_t out[FRAME_HEADER_MOST], unsigned op, bool fin,
			 uint64_t payload, const uint8_t mask[4]);

/* The code in the payload of a close frame; FRAME_CODE_NONE when it has none (RFC 6455 7.1.5). */
uint16_t frame_close_code(struct span payload);

/* One whole server frame, header and payload: what outboxes share. The caller holds the one reference. */
struct blob *frame_blob(unsigned op, struct span payload);

/*
 * A close frame.
 *
 * code     one that close_code_is_allowed (ws/close_code.h), or FRAME_CODE_NONE: an empty close frame
 * reason   cut to 123 bytes, at the beginning of a character
 */
struct blob *frame_close(uint16_t code, struct span reason);

#endif
