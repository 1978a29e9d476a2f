#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

/* From bytes to a checked envelope: later modules need not check it again. */

#include "base/err.h"
#include "proto/arena.h"

#include <proto/gatepost.pb-c.h>

/* Raised whenever an older process would misread a newer one. */
enum { LINK_VERSION = 2 };

/*
 * The limits that both sides keep to, so that no process sends what its peer refuses to read. A
 * batch goes out once it has reached one of the first three (link_add), so the last item comes on top of
 * them; how large that may be, ITEM_PARTS and the settings for bodies say. For the structs a reader
 * takes less than twice what the sender needed: READ_STRUCTS is more than that.
 */
enum {
	ENVELOPE_ITEMS = 4096,
	ENVELOPE_BYTES = 1024 * 1024,       /* of bodies */
	ENVELOPE_STRUCTS = 2 * 1024 * 1024, /* of the sender's arena */
	ENVELOPE_ITEM_PARTS = 256, /* headers of a Response, rows of a Roster, Members */
	ENVELOPE_ACTIONS = 128,    /* of an Answer */
	ENVELOPE_READ_STRUCTS =
		8 * 1024 * 1024, /* of the reader's arena, beside the bytes */
};

/* The reason of the Refusal for what a broker could not read: it is about the message, not about the sender. */
#define ENVELOPE_UNREADABLE "that was no envelope"

/* Values of an event's `again`. */
enum { EVENT_FIRST, EVENT_AGAIN, EVENT_ACCUSED };

/* The last millisecond that is a time here: of the year 9999. */
#define ENVELOPE_TIME_MOST INT64_C(253402300799999)

/* May this be a Response? The status of a final answer (RFC 9110 15), and no more headers than a reader takes. */
bool envelope_response_ok(uint32_t status, size_t headers);

/*
 * May an Answer have so many actions, whose bodies and reasons have so many bytes, the last one's not
 * counted? As with a batch, the last one may be of any size.
 */
bool envelope_actions_ok(size_t actions, uint64_t bytes_before_last);

/*
 * Read one ZeroMQ message.
 *
 * in       borrowed
 * a        what *out is made of; reset it when the envelope is no longer needed
 * out      on OK: each item has a body of a known kind, each id in it is 11 bytes, each enum has a
 *          known value that is not 0, a response is one that envelope_response_ok, expires_ms is from
 *          0 to ENVELOPE_TIME_MOST, a disconnect's code has 16 bits. The actions of an answer are
 *          of known kinds, within envelope_actions_ok, and in order: a response is the first, a close the
 *          last, and behind a response that is not 2xx there is nothing; with retry there are none. On
 *          ERR_DENIED only out->version means anything.
 * returns  OK; ERR_DENIED: another protocol version; ERR_MALFORMED: not an envelope (drop the link)
 */
must_use enum err envelope_read(struct span in, struct arena *a,
				Gatepost__Envelope **out);

#endif
