#ifndef PROTO_ENVELOPE_H
#define PROTO_ENVELOPE_H

/* From bytes to a checked envelope: later modules need not check it again. */

#include "base/err.h"
#include "proto/proto_arena.h"

#include <proto/gatepost.pb-c.h>

/* Raised whenever an older process would misread a newer one. */
enum { LINK_VERSION = 3 };

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
	ENVELOPE_ACTIONS = 512,    /* of an Answer, or a Command */
	ENVELOPE_PUBLICATIONS =
		1000, /* of a Fill, or of all Activates of an Answer together */
	ENVELOPE_NAMES =
		1024, /* channels of an Interest, or of an Event; members of a Presence */
	ENVELOPE_TAGS = 16,     /* of a Publication */
	ENVELOPE_FILTER = 32,   /* nodes of a filter */
	ENVELOPE_VALUES = 256,  /* of one of its nodes */
	ENVELOPE_CHANNEL = 255, /* bytes of a channel's name */
	ENVELOPE_EPOCH = 32,    /* bytes of an epoch */
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
 * Is this a filter: nodes of known kinds, with as many operands behind each as it says, and values as
 * its kind has them? Then it can be evaluated from its first node on without further checks.
 */
bool envelope_filter_ok(Gatepost__FilterNode *const *nodes, size_t n);

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
 *          last, and behind a response that is not 2xx there is nothing; with retry there are none. A
 *          channel's name has 1 to ENVELOPE_CHANNEL bytes; a position that is there has an epoch, and
 *          one that must be there is; filters are envelope_filter_ok; the offsets of a Fill or Activate that
 *          is not lost follow each other without a hole, up to its top or position at most. On
 *          ERR_DENIED only out->version means anything.
 * returns  OK; ERR_DENIED: another protocol version; ERR_MALFORMED: not an envelope (drop the link)
 */
must_use enum err envelope_read(struct span in, struct proto_arena *a,
				Gatepost__Envelope **out);

#endif
